"""Refuse a form that another site's page posts (cross-site request forgery).

plone.protect watches the ZODB and misses actions that write to the queue only; plain
Zope has nothing like it. So what the browser says of the sending page counts.
"""

from __future__ import annotations

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from zExceptions import Forbidden

DEFAULT_PORTS = {"http": 80, "https": 443}

Place = tuple[str, int | None]


def check_same_site(request: Any) -> None:
    """Raise Forbidden when a browser says that another site's page sent this.

    Browsers send Sec-Fetch-Site over TLS, and Origin always; a client that sends
    neither is not a browser, and has no session to abuse.
    """
    fetch_site = request.get_header("Sec-Fetch-Site", "")
    origin = request.get_header("Origin", "")
    if fetch_site:
        refused = fetch_site not in ("same-origin", "none")
    else:
        refused = bool(origin) and _place(origin) not in _own_places(request)
    if refused:
        raise Forbidden("This form was sent by a page of another site.")


def _own_places(request: Any) -> set[Place | None]:
    named = [request.get_header(name, "") for name in ("Host", "X-Forwarded-Host")]
    # X-Forwarded-Host may be a list: each proxy on the way can add a name.
    hosts = [host.strip() for names in named for host in names.split(",")]
    # The proxy in front may speak TLS where Zope sees plain HTTP.
    urls = [f"{scheme}://{host}" for scheme in DEFAULT_PORTS for host in hosts if host]
    places = {_place(url) for url in urls} - {None}
    # A VirtualHostMonster takes any name from the path, and so from any page that posts
    # to it. But a proxy may pass the site's own name in no other way.
    if any(place and _is_inner(place[0]) for place in places):
        places |= {_place(request["SERVER_URL"])} - {None}
    return places


def _is_inner(host: str) -> bool:
    """Whether only a proxy, or a browser in the same network, calls Zope so."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host


def _place(url: str) -> Place | None:
    """Host and port; None for a text that is not a URL, such as "null"."""
    try:
        parts = urlsplit(url)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return None
    return (parts.hostname, port) if parts.hostname else None
