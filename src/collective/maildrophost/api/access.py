"""Who may use the services, and from where."""

from __future__ import annotations

from typing import Any

from plone import api
from zExceptions import Unauthorized

from collective.maildrophost.permissions import MANAGE_MAIL_QUEUE
from collective.maildrophost.samesite import check_same_site


def check_permission(site: Any) -> None:
    """Raise Unauthorized unless the user may manage the mail queue of the site."""
    if not api.user.has_permission(MANAGE_MAIL_QUEUE, obj=site):
        raise Unauthorized(f"Missing {MANAGE_MAIL_QUEUE!r} permission")


def check_origin(request: Any) -> None:
    """Raise Forbidden for a page of another site that no CORS policy allows.

    Browsers ask before they send a PATCH or DELETE for another site's page; this check
    covers one that does not.
    """
    # plone.rest sets it when a policy allows the origin of this request.
    if not request.response.getHeader("Access-Control-Allow-Origin"):
        check_same_site(request)
