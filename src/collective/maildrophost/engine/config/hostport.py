"""The address of a server: host with port."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

from ..domains import ascii_domain
from ..wording import Unfit, Wording, _

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\Z")
_MAX_HOST_LENGTH = 253
EXPECTED = _("a host, host:port or [IPv6 address]:port")


@dataclass(frozen=True)
class HostPort:
    """Where a server listens; an IPv6 ``host`` is kept without brackets."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def parse_host_port(text: str, default_port: int | None) -> HostPort:
    """One ``host``, ``host:port`` or ``[address]:port``; Unfit for anything else.

    Without `default_port`, the port is required.
    """
    host, port = _split(text)
    if port is not None:
        return HostPort(_checked_host(host, text), _checked_port(port, text))
    if default_port is None:
        raise unexpected(_("host:port"), text)
    return HostPort(_checked_host(host, text), default_port)


def parse_host_name(text: str) -> str:
    """The name of a host, in ASCII; Unfit for anything else, an address included."""
    expected = _("the name of a host, such as plone.example.org")
    name = _checked_name(text, expected, text)
    if _is_address(name) or "_" in name:  # no domain has one (RFC 5321 section 4.1.2)
        raise unexpected(expected, text)
    return name.removesuffix(".")


def _split(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or ":" not in host or (rest and not rest.startswith(":")):
            raise unexpected(EXPECTED, text)
        return host, rest[1:] if rest else None
    if text.count(":") > 1:  # an IPv6 address without brackets
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _checked_host(host: str, text: str) -> str:
    if ":" in host:
        return _checked_address(host, text)
    name = _checked_name(host, EXPECTED, text)
    return _checked_address(name, text) if _is_address(name) else name


def _is_address(name: str) -> bool:
    # No top level domain is a number (RFC 3696 section 2).
    return name.removesuffix(".").rpartition(".")[2].isdigit()


def _checked_name(name: str, expected: Wording, text: str) -> str:
    name = ascii_domain(name)
    labels = name.removesuffix(".").split(".")
    if len(name) > _MAX_HOST_LENGTH or not all(map(_LABEL.match, labels)):
        raise unexpected(expected, text)
    return name


def _checked_address(host: str, text: str) -> str:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise unexpected(EXPECTED, text) from None
    return host


def _checked_port(port: str, text: str) -> int:
    if re.fullmatch(r"[0-9]{1,5}", port) and 1 <= int(port) <= 65535:
        return int(port)
    raise unexpected(_("a port from 1 to 65535"), text)


def unexpected(what: Wording, text: str) -> Unfit:
    """The error; a `text` with an @ is not repeated: a password may be before it."""
    if "@" in text:
        return Unfit(_("expected ${what}, without an @", mapping={"what": what}))
    return Unfit(
        _("expected ${what}, got ${text}", mapping={"what": what, "text": repr(text)})
    )
