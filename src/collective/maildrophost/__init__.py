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
    """Offer the Maildrop Host in the add list of every folder of the ZMI."""
    from collective.maildrophost.host import MaildropHost
    from collective.maildrophost.permissions import ADD_MAILDROP_HOSTS
    from collective.maildrophost.zmi.add import (
        manage_addMaildropHost,
        manage_addMaildropHostForm,
    )

    context.registerClass(
        MaildropHost,
        permission=ADD_MAILDROP_HOSTS,
        constructors=(manage_addMaildropHostForm, manage_addMaildropHost),
    )
