"""Mail out of Zope and Plone: queued in the transaction, delivered by a daemon."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    # Lazy, so that the engine and its daemon work where no Zope is installed.
    if name == "MaildropHost":
        from collective.maildrophost.host import MaildropHost

        return MaildropHost
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def initialize(context: Any) -> None:
    """Register the Maildrop Host as something the ZMI can add."""
    from collective.maildrophost.zmi import register

    register(context)
