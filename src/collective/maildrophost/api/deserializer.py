"""Settings sent as JSON: checked together, then saved together."""

from __future__ import annotations

from typing import Any

from plone.restapi.exceptions import DeserializationError
from plone.restapi.interfaces import IDeserializeFromJson
from z3c.form.interfaces import IManagerValidator
from zExceptions import BadRequest
from zope.component import adapter, getMultiAdapter
from zope.interface import implementer
from zope.schema import getFieldsInOrder
from zope.schema.interfaces import IChoice, RequiredMissing, ValidationError

from collective.maildrophost.api.access import check_origin, check_permission
from collective.maildrophost.api.body import json_object
from collective.maildrophost.api.controlpanel import IMaildropHostControlpanel
from collective.maildrophost.api.mailhost import maildrop_host
from collective.maildrophost.i18n import _, translated
from collective.maildrophost.settings import IMaildropHostSettings


@implementer(IDeserializeFromJson)
@adapter(IMaildropHostControlpanel)
class SettingsDeserializer:
    """Answers PATCH @controlpanels/maildrophost."""

    def __init__(self, panel: Any) -> None:
        self.site = panel.context
        self.request = panel.request

    def __call__(self) -> None:
        """Save what was sent, leave the rest; BadRequest says what is wrong."""
        check_permission(self.site)
        check_origin(self.request)
        settings = IMaildropHostSettings(maildrop_host(self.site))
        values, errors = self._values(self._body())
        errors = errors or self._errors_together(settings, values)
        if errors:
            raise BadRequest(errors)
        for name, value in values.items():
            setattr(settings, name, value)

    def _body(self) -> dict[str, Any]:
        try:
            return json_object(self.request)
        except DeserializationError as error:
            raise BadRequest(str(error)) from error

    def _values(self, body: dict[str, Any]) -> tuple[dict[str, Any], list[Any]]:
        values: dict[str, Any] = {}
        errors: list[Any] = []
        for name, field in getFieldsInOrder(IMaildropHostSettings):
            if name not in body:
                continue
            try:
                values[name] = self._value(field, body[name])
            except ValidationError as error:
                errors.append(self._error(self._reason(field, error), name))
        return values, errors

    def _value(self, field: Any, sent: Any) -> Any:
        # Volto sends back a choice as it got it, with its title.
        value = sent["token"] if isinstance(sent, dict) and "token" in sent else sent
        if value is None and not field.required:
            value = field.missing_value
        field.bind(self.site).validate(value)
        return value

    def _reason(self, field: Any, error: ValidationError) -> Any:
        if IChoice.providedBy(field) and not isinstance(error, RequiredMissing):
            known = ", ".join(term.token for term in field.bind(self.site).vocabulary)
            return _(
                "no_such_choice",
                default="There is no such choice; known: ${known}.",
                mapping={"known": known},
            )
        return error.doc()

    def _errors_together(self, settings: Any, values: dict[str, Any]) -> list[Any]:
        # For a setting that was not sent, the present value counts.
        validator = getMultiAdapter(
            (settings, self.request, None, IMaildropHostSettings, None),
            IManagerValidator,
        )
        return [self._error(str(error)) for error in validator.validate(values)]

    def _error(self, message: Any, field: str | None = None) -> dict[str, str]:
        # Under the names that Volto reads.
        error = {
            "error": "ValidationError",
            "message": translated(message, self.request),
        }
        return {**error, "field": field} if field else error
