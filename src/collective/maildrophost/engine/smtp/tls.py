"""TLS contexts for connections to a relay."""

from __future__ import annotations

import os
import ssl
from functools import lru_cache


def client_context(verify: bool, ca_file: str) -> ssl.SSLContext:
    """A context with TLS 1.2 at least; OSError or ssl.SSLError for a bad `ca_file`.

    Contexts are kept: reading the system's certificates costs far more than a
    handshake. A changed CA file makes a new one.
    """
    changed = os.stat(ca_file).st_mtime_ns if ca_file else 0
    return _context(verify, ca_file, changed)


@lru_cache(maxsize=8)
def _context(verify: bool, ca_file: str, changed: int) -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if ca_file:
        context.load_verify_locations(ca_file)
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
