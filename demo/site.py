"""The Plone site of the demo, with the add-on installed."""

from __future__ import annotations

import transaction
import Zope2
from AccessControl.SecurityManagement import newSecurityManager, noSecurityManager
from plone.registry.interfaces import IRegistry
from Products.CMFPlone.factory import addPloneSite
from Testing.makerequest import makerequest
from zope.component import getUtility
from zope.component.hooks import setSite
from zope.globalrequest import clearRequest, setRequest

EXTENSIONS = ("plonetheme.barceloneta:default", "collective.maildrophost:default")


def make_site(user: str, password: str) -> None:
    """Make `/Plone`, and the user that may do everything."""
    app = makerequest(Zope2.app())
    setRequest(app.REQUEST)
    try:
        app.acl_users.userFolderAddUser(user, password, ["Manager"], [])
        newSecurityManager(None, app.acl_users.getUser(user).__of__(app.acl_users))
        addPloneSite(
            app, "Plone", title="The demo of Maildrop Host", extension_ids=EXTENSIONS
        )
        _set_mail_addresses()
        transaction.commit()
    finally:
        noSecurityManager()
        setSite(None)
        clearRequest()
        app._p_jar.close()


def _set_mail_addresses() -> None:
    registry = getUtility(IRegistry)
    registry["plone.email_from_name"] = "The demo site"
    registry["plone.email_from_address"] = "site@demo.example"
