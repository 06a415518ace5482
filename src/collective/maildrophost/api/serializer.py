"""The settings as JSON, with the schema that Volto builds its form from."""

from __future__ import annotations

from typing import Any

from plone.restapi.interfaces import ISerializeToJson
from plone.restapi.serializer.controlpanels import (
    SERVICE_ID,
    get_jsonschema_for_controlpanel,
)
from zope.component import adapter
from zope.interface import implementer
from zope.schema import getFieldNames

from collective.maildrophost.api.access import check_permission
from collective.maildrophost.api.controlpanel import IMaildropHostControlpanel
from collective.maildrophost.api.mailhost import maildrop_host
from collective.maildrophost.api.refusals import Conflict
from collective.maildrophost.settings import IMaildropHostSettings


@implementer(ISerializeToJson)
@adapter(IMaildropHostControlpanel)
class SettingsSerializer:
    """Answers GET @controlpanels/maildrophost."""

    def __init__(self, panel: Any) -> None:
        self.panel = panel

    def __call__(self) -> dict[str, Any]:
        """The settings; if the MailHost is not ours, what to do about it."""
        check_permission(self.panel.context)
        response = self.panel.request.response
        # The paths of the server are nobody else's business, as in QueueService.
        response.setHeader("Cache-Control", "no-store")
        try:
            settings = IMaildropHostSettings(maildrop_host(self.panel.context))
        except Conflict as conflict:
            return conflict.answer(response)
        site_url = self.panel.context.absolute_url()
        return {
            "@id": f"{site_url}/{SERVICE_ID}/{self.panel.__name__}",
            "title": self.panel.title,
            "group": self.panel.group,
            "schema": self._schema(),
            "data": {
                name: getattr(settings, name)
                for name in getFieldNames(IMaildropHostSettings)
            },
        }

    def _schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = get_jsonschema_for_controlpanel(
            self.panel, self.panel.context, self.panel.request
        )
        # Its URL would lead nowhere: the choices are in the schema, and only there.
        del schema["properties"]["configuration"]["vocabulary"]
        return schema
