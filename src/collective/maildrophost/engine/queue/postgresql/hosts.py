"""The hosts of a URL; a new connection begins with the one that was good."""

# A machine that is gone gives no answer: whoever begins with it waits for it, each
# time. The driver has the hosts of a URL in parameters named as in _LISTS, with commas.

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import ConnectionInfo

_LISTS = ("host", "hostaddr", "port")
_CAN_WRITE = ("read-write", "primary")
"""Only with these does libpq ask a host that lets it in whether it can write."""

READ_ONLY_WORDS = "session is read-only"
"""What libpq says when it has found no host that can be written to."""

_Key = tuple[object, ...]

_good: dict[_Key, int] = {}
"""The place of the host that was good last, for all queues of this process."""


def good_one_first(options: Mapping[str, Any]) -> dict[str, Any]:
    """The driver's `options` with their hosts in the order to try them in."""
    first = _good.get(_key(options), 0)
    return {
        **options,
        **{name: _moved(options[name], first) for name in _lists(options)},
    }


def remember_good(options: Mapping[str, Any], found: ConnectionInfo) -> None:
    """Remember for `options` that `found` is with a host that can be used."""
    if options.get("target_session_attrs") not in _CAN_WRITE:
        return
    for place, one in enumerate(_one_by_one(options)):
        if _is(one, found):
            _good[_key(options)] = place
            return


def each(options: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The hosts, where there are several: a name, and `options` for it alone."""
    return [
        (":".join(filter(None, one.values())), {**options, **one})
        for one in _one_by_one(options)
    ]


def _one_by_one(options: Mapping[str, Any]) -> list[dict[str, str]]:
    names = _lists(options)
    places = zip(*(options[name].split(",") for name in names), strict=False)
    return [dict(zip(names, one, strict=True)) for one in places]


def _key(options: Mapping[str, Any]) -> _Key:
    return tuple(options.get(name) for name in _LISTS)


def _lists(options: Mapping[str, Any]) -> list[str]:
    return [name for name in _LISTS if "," in str(options.get(name, ""))]


def _moved(many: str, first: int) -> str:
    names = many.split(",")
    return ",".join([names[first], *names[:first], *names[first + 1 :]])


def _is(one: Mapping[str, str], found: ConnectionInfo) -> bool:
    port = one.get("port")
    if port and int(port) != found.port:
        return False
    address = one.get("hostaddr")
    return found.hostaddr == address if address else found.host == one.get("host")
