"""The settings of a Maildrop Host, for everything that shows or changes them."""

from __future__ import annotations

from typing import Any

from Acquisition import aq_base
from Products.MailHost.interfaces import IMailHost
from zope import schema
from zope.component import adapter, queryUtility
from zope.globalrequest import getRequest
from zope.interface import Interface, Invalid, implementer, invariant, provider
from zope.schema.interfaces import IContextSourceBinder
from zope.schema.vocabulary import SimpleTerm, SimpleVocabulary

from collective.maildrophost import productconfig
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.i18n import _, message, translated
from collective.maildrophost.interfaces import IMaildropHost


@provider(IContextSourceBinder)
def configurations(context: Any) -> SimpleVocabulary:
    """The keys to choose from, with the one in use even where it is not listed.

    A source of the field, not a named vocabulary: any editor may read a vocabulary, and
    the titles have paths of the server in them.
    """
    listed = productconfig.configurations()
    titles = {key: f"{key}: {path}" for key, path in listed.items()}
    key = _key_in_use(context)
    if key is not None and key not in titles:
        titles[key] = _("${key}: not listed in zope.conf", mapping={"key": key})
    return SimpleVocabulary([SimpleTerm(key, key, titles[key]) for key in titles])


def _key_in_use(context: Any) -> str | None:
    if IMaildropHostSettings.providedBy(context):
        return str(context.configuration)
    for each in (context, queryUtility(IMailHost)):
        if IMaildropHost.providedBy(each):
            return str(each.getConfigKey())
    return None


class IMaildropHostSettings(Interface):
    """What a site may choose; all the rest is in the configuration's file."""

    title = schema.TextLine(
        title=_("Title"),
        description=_("Shown where the site's tools are listed."),
        required=False,
        default="",
        missing_value="",
    )

    configuration = schema.Choice(
        title=_("Configuration"),
        description=_(
            "The file that says where mail is queued and who delivers it. An "
            "administrator lists them in zope.conf, in its product-config section "
            "maildrophost."
        ),
        source=configurations,
        default=productconfig.DEFAULT,
    )

    transactional = schema.Bool(
        title=_("Send with the transaction"),
        description=_(
            "Mail leaves when the page that sent it has succeeded, and not at all when "
            "it failed. Turned off, mail is queued at once, even by a page that fails "
            "afterwards."
        ),
        required=False,
        default=True,
    )

    @invariant
    def configuration_can_be_used(settings: Any) -> None:
        """Refuse a file that cannot be read, unless it is the one in use already."""
        key = settings.configuration
        # The form's data says which settings it is for: the site's MailHost may be
        # another add-on's. The key in use is not refused, as its file may be missing.
        edited = getattr(settings, "__context__", None)
        if key is None or key == _key_in_use(edited):
            return
        try:
            productconfig.configuration(key)
        except MaildropError as error:
            # Every form shows the exception's text, but not every form translates it.
            why = translated(message(error.wording), getRequest())
            raise Invalid(why) from error


@implementer(IMaildropHostSettings)
@adapter(IMaildropHost)
class MaildropHostSettings:
    """Reads and writes the settings of one Maildrop Host."""

    def __init__(self, mail_host: Any) -> None:
        # Without its acquisition wrapper, which would bring the request along.
        self._mail_host = aq_base(mail_host)

    @property
    def title(self) -> str:
        """What lists of tools show."""
        return str(self._mail_host.title)

    @title.setter
    def title(self, title: str | None) -> None:
        self._mail_host.title = title or ""

    @property
    def configuration(self) -> str:
        """The key of the configuration in use."""
        return str(self._mail_host.getConfigKey())

    @configuration.setter
    def configuration(self, key: str) -> None:
        """Use the configuration under `key`; ValueError says why not."""
        # The key that is set already is not checked, as its file may be missing.
        if key != self.configuration:
            self._mail_host.setConfigPath(key)

    @property
    def transactional(self) -> bool:
        """Whether mail waits for the transaction's commit."""
        return bool(self._mail_host.isTransactional())

    @transactional.setter
    def transactional(self, transactional: bool | None) -> None:
        # None is no choice, which means the safe mode. 0 is one, as the field takes it.
        chosen = True if transactional is None else bool(transactional)
        self._mail_host.setTransactional(chosen)
