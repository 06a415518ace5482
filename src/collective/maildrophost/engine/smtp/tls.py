"""TLS contexts for connections to a relay, each with the session that it resumes."""

# Rules of this file:
# - A context serves one relay with one way to verify it, so that a session is never
#   offered to another host, nor resumed under stricter verification than it began with.
# - Contexts are kept: reading the system's certificates costs more than a handshake.
#   OpenSSL looks up those in a directory when it needs them, but reads a file once.

from __future__ import annotations

import os
import ssl
import sys
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..config import RelayAddress


class ResumingContext(ssl.SSLContext):
    """Offers the relay the last known session, which saves half of a handshake.

    Neither asyncio nor uvloop can be given a session, but both make their TLS objects
    with `wrap_bio`.
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
        """Keep the session of a connection that works, for the next one.

        With TLS 1.3 there is none before the relay has said something after the
        handshake (RFC 8446 section 4.6.1).
        """
        self._session = connection.session or self._session

    def forget(self) -> None:
        """Have the next handshake be a full one."""
        self._session = None


def client_context(relay: RelayAddress, verify: bool, ca_file: str) -> ResumingContext:
    """A context with TLS 1.2 at least; OSError or ssl.SSLError for a bad `ca_file`.

    It is a new one once the system's file of authorities or `ca_file` has changed.
    """
    bundles = (ca_file, ssl.get_default_verify_paths().cafile)
    stamps = tuple(_stamp(bundle) for bundle in bundles if bundle)
    return _context(relay, verify, ca_file, stamps)


def _stamp(bundle: str) -> tuple[int, int]:
    found = os.stat(bundle)
    return found.st_ino, found.st_mtime_ns


@lru_cache(maxsize=32)
def _context(
    relay: RelayAddress, verify: bool, ca_file: str, stamps: tuple[tuple[int, int], ...]
) -> ResumingContext:
    # As ssl.create_default_context() does, which cannot make one of another class.
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


def server_name(host: str) -> str:
    """What SNI and a certificate call a host (RFC 6066 section 3): without a last dot.

    The dot is for the resolver: it says that the name is complete.
    """
    return host.removesuffix(".")
