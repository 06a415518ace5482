"""The settings in the site's setup, as plone.restapi lists them."""

from __future__ import annotations

from plone.base.interfaces import IPloneSiteRoot
from plone.restapi.controlpanels import RegistryConfigletPanel
from plone.restapi.controlpanels.interfaces import IControlpanel
from zope.component import adapter
from zope.interface import implementer

from collective.maildrophost.browserlayer import IMaildropHostLayer
from collective.maildrophost.i18n import _
from collective.maildrophost.settings import IMaildropHostSettings


class IMaildropHostControlpanel(IControlpanel):
    """Chooses the serializer and deserializer of the settings."""


@implementer(IMaildropHostControlpanel)
@adapter(IPloneSiteRoot, IMaildropHostLayer)
class MaildropHostControlpanel(RegistryConfigletPanel):
    """The panel; its settings are the Maildrop Host's, not the registry's."""

    schema = IMaildropHostSettings
    configlet_id = "maildrophost"
    configlet_category_id = "Products"
    # The base class finds these two only for users who may see the entry.
    title = _("Maildrop Host")
    group = "Add-on Configuration"
