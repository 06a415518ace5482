"""Methods of MailHost that an add-on has replaced, so that mail must not be queued."""

from __future__ import annotations

from typing import Any

MAILHOST_MODULE = "Products.MailHost.MailHost"


def is_replaced(method: Any) -> bool:
    """Whether a method that is looked up on MailHost is not MailHost's own."""
    # Its name and its module are what functools.wraps gives to any other.
    home = getattr(method, "__globals__", {}).get("__name__")
    return home != MAILHOST_MODULE or hasattr(method, "__wrapped__")
