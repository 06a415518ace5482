"""The Maildrop Host in Zope's management interface."""

from __future__ import annotations

from typing import Any


def register(context: Any) -> None:
    """Offer the Maildrop Host in the add list of every folder."""
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
