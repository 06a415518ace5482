"""The settings' page: what a site may choose, and what its configuration says."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from plone import api
from plone.autoform.form import AutoExtensibleForm
from plone.protect import CheckAuthenticator, PostOnly
from Products.Five.browser.pagetemplatefile import ViewPageTemplateFile
from z3c.form import button, form

from collective.maildrophost.controlpanel.configurationtext import options
from collective.maildrophost.controlpanel.mailhost import SiteMailHost
from collective.maildrophost.controlpanel.page import Page
from collective.maildrophost.engine.config import Configuration
from collective.maildrophost.engine.errors import MaildropError
from collective.maildrophost.i18n import _, message
from collective.maildrophost.installation.swap import stored_maildrop_host
from collective.maildrophost.settings import IMaildropHostSettings


class SettingsForm(AutoExtensibleForm, form.EditForm):
    """Title, configuration, transactional mode."""

    schema = IMaildropHostSettings
    template = ViewPageTemplateFile("templates/settingsform.pt")
    id = "maildrophost-controlpanel-settings"

    def getContent(self) -> Any:
        """The settings of the site's Maildrop Host."""
        return IMaildropHostSettings(SiteMailHost.of(self.context).host)

    def updateActions(self) -> None:
        super().updateActions()
        self.actions["save"].addClass("btn btn-primary")

    @button.buttonAndHandler(_("Save"), name="save")
    def handle_save(self, action: Any) -> None:
        """Save, or say what is wrong beside the field."""
        PostOnly(self.request)
        CheckAuthenticator(self.request)
        data, errors = self.extractData()
        if errors:
            self.status = self.formErrorsMessage
            return
        stored_maildrop_host(self.context)
        self.applyChanges(data)
        api.portal.show_message(_("Changes saved."), self.request)
        self.request.response.redirect(self.request.getURL())


class SettingsPage(Page):
    """The form, and beside it what the chosen configuration says."""

    tab = "maildrophost-controlpanel-settings"
    index = ViewPageTemplateFile("templates/settings.pt")

    def __call__(self) -> str:
        """The page; "" when the form redirects to it."""
        self.form = SettingsForm(self.context, self.request)
        self.form.update()
        if self.request.response.getStatus() in (302, 303):
            return ""
        return super().__call__()

    @cached_property
    def _loaded(self) -> tuple[Configuration | None, str]:
        try:
            return self.site_mail_host.configuration(), ""
        except MaildropError as error:
            return None, self.translated(message(error.wording))

    def path(self) -> str:
        """The configuration's file."""
        loaded = self._loaded[0]
        return str(loaded.path) if loaded else self.site_mail_host.host.getConfigPath()

    def fault(self) -> str:
        """Why the configuration cannot be read; "" when it can."""
        return self._loaded[1]

    def warnings(self) -> list[str]:
        """What the daemon's log warns of as well."""
        loaded = self._loaded[0]
        warnings = loaded.warnings if loaded else ()
        return [self.translated(message(each)) for each in warnings]

    def options(self) -> list[dict[str, str]]:
        """Every option with its value."""
        loaded = self._loaded[0]
        return options(loaded) if loaded else []
