"""Domains beyond ASCII, and their ASCII form for wherever nothing else may stand."""

from __future__ import annotations

import re

_AFTER_AT = re.compile(r"(?<=@)[^\s@<>()\[\],;:\"\\]{1,253}")


def ascii_domain(domain: str) -> str:
    """The domain in ASCII (RFC 5891); what has no such form stays as it is."""
    if domain.isascii():
        return domain
    # Imported here because its tables are large and few domains need them.
    import idna

    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except UnicodeError:  # idna.IDNAError is one
        return domain


def with_ascii_domains(text: str) -> str:
    """A list of addresses, or any text, with what follows each @ in ASCII."""
    if text.isascii():
        return text
    return _AFTER_AT.sub(lambda domain: ascii_domain(domain[0]), text)
