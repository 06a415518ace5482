"""Refuse a form that another site's page posts (cross-site request forgery).

Actions that write to the queue only are not seen by plone.protect, which watches the
ZODB, and plain Zope has no such thing: so what the browser says of the sender counts.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from zExceptions import Forbidden

DEFAULT_PORTS = {"http": 80, "https": 443}


def check_same_site(request: Any) -> None:
    """Raise Forbidden when a browser says that another site's page sent this.

    Sec-Fetch-Site is what browsers tell over TLS, Origin what they tell always; a
    client that sends neither is no browser, and has no session to abuse.
    """
    fetch_site = request.get_header("Sec-Fetch-Site", "")
    origin = request.get_header("Origin", "")
    if fetch_site:
        refused = fetch_site not in ("same-origin", "none")
    else:
        refused = bool(origin) and _place(origin) not in _own_places(request)
    if refused:
        raise Forbidden("This form was sent by a page of another site.")


def _own_places(request: Any) -> set[tuple[str, int | None]]:
    hosts = (request.get_header("Host"), request.get_header("X-Forwarded-Host"))
    # The proxy in front may speak TLS where Zope sees plain HTTP.
    urls = [f"{scheme}://{host}" for scheme in DEFAULT_PORTS for host in hosts if host]
    return {_place(url) for url in [request["SERVER_URL"], *urls]}


def _place(url: str) -> tuple[str, int | None]:
    """Host with port; a text that is no URL is nowhere."""
    try:
        parts = urlsplit(url)
        return parts.hostname or "", parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:
        return "", None
