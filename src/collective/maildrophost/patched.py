"""Whether an add-on has replaced methods of MailHost: then it gets the mail first."""

from __future__ import annotations

from typing import Any

from Products.MailHost.MailHost import MailHost

MAILHOST_MODULE = "Products.MailHost.MailHost"


def is_patched(method: Any) -> bool:
    """Whether `method`, which was looked up on MailHost, is not MailHost's own."""
    # Not by its __name__ and __module__: functools.wraps copies them to a wrapper.
    return _defining_module(method) != MAILHOST_MODULE or hasattr(method, "__wrapped__")


def patched_by() -> str:
    """The module of the add-on that gets all mail first; "" where there is none."""
    for method in (MailHost.send, MailHost._send):
        if is_patched(method):
            return str(_defining_module(method) or type(method).__module__)
    return ""


def _defining_module(method: Any) -> Any:
    return getattr(method, "__globals__", {}).get("__name__")
