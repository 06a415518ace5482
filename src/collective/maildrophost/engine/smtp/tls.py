"""TLS contexts for connections to a relay, with the sessions that they resume."""

# Rules of this file:
# - A context serves one relay with one way to verify it, so that a session is never
#   offered to another host, nor resumed where more is asked than when it was made.
# - Contexts are kept: to read the system's certificates costs more than a handshake.
#   Those of a directory OpenSSL looks up by itself, those of a file it reads once.

from __future__ import annotations

import os
import ssl
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import RelayAddress


class ResumingContext(ssl.SSLContext):
    """Offers the relay the last session that is known: half of a handshake is saved.

    Neither asyncio nor uvloop hands a session over, but both make their TLS with
    `wrap_bio`.
    """

    _session: ssl.SSLSession | None = None

    def wrap_bio(
        self,
        incoming: ssl.MemoryBIO,
        outgoing: ssl.MemoryBIO,
        server_side: bool = False,
        server_hostname: str | bytes | None = None,
        session: ssl.SSLSession | None = None,
    ) -> ssl.SSLObject:
        return super().wrap_bio(
            incoming, outgoing, server_side, server_hostname, session or self._session
        )

    def remember(self, connection: ssl.SSLObject) -> None:
        """The session of a connection that works, for the next one.

        With TLS 1.3 there is none before the relay has said something after the
        handshake (RFC 8446 section 4.6.1).
        """
        self._session = connection.session or self._session

    def forget(self) -> None:
        """The next handshake is a whole one."""
        self._session = None


def client_context(relay: RelayAddress, verify: bool, ca_file: str) -> ResumingContext:
    """A context with TLS 1.2 at least; OSError or ssl.SSLError for a bad `ca_file`.

    Changed authorities make a new one, whether the system's or those of the CA file.
    """
    bundles = (ca_file, ssl.get_default_verify_paths().cafile)
    condition = tuple(_condition(bundle) for bundle in bundles if bundle)
    return _context(relay, verify, ca_file, condition)


def _condition(bundle: str) -> tuple[int, int]:
    found = os.stat(bundle)
    return found.st_ino, found.st_mtime_ns


def server_name(host: str) -> str:
    """What SNI and a certificate call a host (RFC 6066 section 3): without a last dot.

    For the name server the dot says that the name is whole.
    """
    return host.removesuffix(".")


@lru_cache(maxsize=32)
def _context(
    relay: RelayAddress,
    verify: bool,
    ca_file: str,
    condition: tuple[tuple[int, int], ...],
) -> ResumingContext:
    # What ssl.create_default_context() does, which makes no context of another class.
    context = ResumingContext(ssl.PROTOCOL_TLS_CLIENT)
    if sys.version_info >= (3, 13):
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | ssl.VERIFY_X509_STRICT
    context.load_default_certs()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
