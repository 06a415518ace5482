"""The mail addresses of an envelope."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from ..domains import ascii_domain
from ..wording import _
from .errors import InvalidMessage

# RFC 5321 section 4.5.3.1.3: a path has 256 octets at most, its < and > included. The
# 64 octets of a local part are not enforced: bounce addresses with the recipient in
# them (VERP, SRS) are longer, relays take them.
MAX_ADDRESS_OCTETS = 254
_ATOM_CHARACTERS = r"A-Za-z0-9!#$%&'*+/=?^_`{|}~."
_ATOM = rf"[-{_ATOM_CHARACTERS}]+"
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_PLAIN = re.compile(rf"{_ATOM}@{_LABEL}(?:\.{_LABEL})*\Z")
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\Z")
_LITERAL = re.compile(r"\[[A-Za-z0-9.:-]+\]\Z")  # RFC 5321 section 4.1.3
_LOCAL = re.compile(rf"[-{_ATOM_CHARACTERS}\x80-\U0010ffff]+\Z")  # RFC 6531
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"\Z')
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_SHOWN_CHARACTERS = 80
_REMEMBERED = 200


def check_address(address: str) -> str:
    """`address` itself; InvalidMessage when it is no bare address.

    A local part alone is one: the relay decides what it means. A domain beyond ASCII
    must be one that IDNA 2008 can write in ASCII (RFC 5891).
    """
    if len(address) <= MAX_ADDRESS_OCTETS and _PLAIN.match(address):
        return address
    return _check_unusual(address)


def parse_addresses(text: str) -> tuple[str, ...]:
    """The bare addresses of a list as in a To header, each once, in order.

    Display names and comments are dropped. InvalidMessage when there is no address,
    or something that is none; groups (RFC 5322 section 3.4) are refused.
    """
    if len(text) <= MAX_ADDRESS_OCTETS and _PLAIN.match(text):
        return (text,)
    return _remembered_list(text) if len(text) <= _REMEMBERED else _list(text)


def _list(text: str) -> tuple[str, ...]:
    if _CONTROL.search(text):
        raise InvalidMessage(
            _(
                "line break or control character in ${text}",
                mapping={"text": _shown(text)},
            )
        )
    addresses = unique(check_address(_bare(item)) for item in _split(text))
    if not addresses:
        raise InvalidMessage(_("no address given"))
    return addresses


_remembered_list = lru_cache(maxsize=256)(_list)  # a site has few senders


def unique(addresses: Iterable[str]) -> tuple[str, ...]:
    """The addresses in order, each the first time that it comes."""
    found: dict[tuple[str, str], str] = {}
    for address in addresses:
        found.setdefault(_identity(address), address)
    return tuple(found.values())


def _identity(address: str) -> tuple[str, str]:
    """What makes two addresses the same: domains ignore case, local parts do not.

    RFC 5321 section 2.4. A domain beyond ASCII is what it becomes on the wire.
    """
    local, domain = local_and_domain(address)
    return local, ascii_domain(domain or "").lower()


def local_and_domain(address: str) -> tuple[str, str | None]:
    """What stands before and after the @; a local part alone has None for a domain.

    A quoted local part may contain an @ of its own.
    """
    if "@" not in address or address.endswith('"'):
        return address, None
    local, _, domain = address.rpartition("@")
    return local, domain


def _check_unusual(address: str) -> str:
    if not address:
        raise InvalidMessage(_("empty address"))
    if not address.isprintable() or any(map(address.__contains__, " <>")):
        raise InvalidMessage(
            _(
                "blank, line break, control character, < or > in address ${address}",
                mapping={"address": _shown(address)},
            )
        )
    if len(address.encode()) > MAX_ADDRESS_OCTETS:
        raise InvalidMessage(
            _(
                "address longer than ${count} octets: ${address}",
                mapping={"count": MAX_ADDRESS_OCTETS, "address": _shown(address)},
            )
        )
    local, domain = local_and_domain(address)
    if not (_LOCAL.match(local) or _QUOTED.match(local)):
        raise InvalidMessage(
            _("${address} is no mail address", mapping={"address": _shown(address)})
        )
    if domain is not None:
        _check_domain(domain, address)
    return address


def _check_domain(domain: str, address: str) -> None:
    encoded = ascii_domain(domain)
    if not (_DOMAIN.match(encoded) or _LITERAL.match(encoded)):
        raise InvalidMessage(
            _(
                "${domain} is no domain, in address ${address}",
                mapping={"domain": _shown(domain), "address": _shown(address)},
            )
        )


def _split(text: str) -> list[str]:
    """The items between the commas, without their comments; blank ones are dropped."""
    items: list[str] = []
    current: list[str] = []
    grouped = False
    for kind, part in _tokens(text):
        if kind == "group":
            grouped = True
        elif kind == "comma":
            items.append("".join(current).strip())
            current = []
        else:
            # A comment counts as a blank: what stands around it must not become one
            # address.
            current.append(" " if kind == "comment" else part)
    if grouped:
        raise InvalidMessage(
            _(
                "a group or semicolon in ${text}; commas separate addresses",
                mapping={"text": _shown(text)},
            )
        )
    items.append("".join(current).strip())
    return [item for item in items if item]


# A pattern takes 140 octets for each time that a group is repeated, until it ends: a
# file of 50 MB with a quote that is never closed took 7 GB. So a run of plain
# characters is no group, and escaped ones are more than in any person's name.
_WHOLE_QUOTE = r'"[^"\\]*(?:\\.[^"\\]*){0,1000}"'
_TOKEN = re.compile(
    rf"(?P<quoted>{_WHOLE_QUOTE})"
    rf'|(?P<angle><[^<>"]*(?:{_WHOLE_QUOTE}[^<>"]*)?>)'
    r"|(?P<literal>\[[^\[\]\\]*\])"
    r"|(?P<open>\()"
    r"|(?P<comma>,)"
    r"|(?P<group>[:;])"
    r'|(?P<text>[^"<\[(,:;)>]+)'
)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise InvalidMessage(
                _(
                    "unbalanced quote or bracket in ${text}",
                    mapping={"text": _shown(text)},
                )
            )
        kind, end = match.lastgroup or "", match.end()
        if kind == "open":
            kind, end = "comment", _comment_end(text, position)
        yield kind, text[position:end]
        position = end


def _comment_end(text: str, start: int) -> int:
    depth = 0
    escaped = False
    for position in range(start, len(text)):
        character = text[position]
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
            if not depth:
                return position + 1
    raise InvalidMessage(
        _("unbalanced bracket in ${text}", mapping={"text": _shown(text)})
    )


def _bare(item: str) -> str:
    """The address of one item: what stands between < and >, or all of it."""
    if not item.endswith(">"):
        return item
    start = item.rindex("<")
    # A whole <…> before this one would be a second address.
    if any(kind == "angle" for kind, _ in _tokens(item[:start])):
        raise InvalidMessage(
            _(
                "two addresses without a comma in ${text}",
                mapping={"text": _shown(item)},
            )
        )
    return item[start + 1 : -1].strip()


def _shown(text: str) -> str:
    cut = text if len(text) <= _SHOWN_CHARACTERS else text[:_SHOWN_CHARACTERS] + "…"
    return repr(cut)
