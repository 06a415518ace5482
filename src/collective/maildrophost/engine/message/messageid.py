"""A new Message-Id."""

from __future__ import annotations

import os
import socket

from ..domains import ascii_domain
from .addresses import local_and_domain


def new_message_id(sender: str, now: float) -> str:
    """``<…@domain>``, unique by time and chance (RFC 5322 section 3.6.4).

    The domain is the sender's, else this host's name.
    """
    _, domain = local_and_domain(sender)
    # gethostname() asks no name server, getfqdn() may make a page wait for one.
    domain = _ascii(domain or "") or _ascii(socket.gethostname()) or "localhost"
    return f"<{int(now * 1000):x}.{os.urandom(8).hex()}@{domain}>"


def _ascii(domain: str) -> str:
    """The domain in ASCII; "" when it has no such form."""
    found = ascii_domain(domain)
    return found if found.isascii() else ""
