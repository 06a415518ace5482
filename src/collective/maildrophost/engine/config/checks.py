"""The rules that concern several options at once."""

from __future__ import annotations

from typing import Any

from ..wording import _
from .options import BY_NAME
from .settings import Settings


def check_together(settings: Settings, values: dict[str, Any]) -> None:
    """ConfigurationError when converted `values` clash; warns of odd ones."""
    _check_retries(settings, values["retry_min"], values["retry_max"])
    _check_password(settings, values)
    _check_login(settings, values)
    _check_receiver(settings, values["debug_receiver"])


def _check_retries(settings: Settings, shortest: float, longest: float) -> None:
    if shortest <= longest:
        return
    mapping = {"shortest": f"{shortest:g}", "longest": f"{longest:g}"}
    if settings.is_given("MAILDROP_RETRY_MIN"):
        raise settings.error(
            "MAILDROP_RETRY_MIN",
            _(
                "expected at most MAILDROP_RETRY_MAX (${longest}), got ${shortest}",
                mapping=mapping,
            ),
        )
    raise settings.error(
        "MAILDROP_RETRY_MAX",
        _(
            "expected at least MAILDROP_RETRY_MIN (${shortest}), got ${longest}",
            mapping=mapping,
        ),
    )


def _check_password(settings: Settings, values: dict[str, Any]) -> None:
    if values["password_file"] and values["password"]:
        raise settings.error(
            "MAILDROP_PASSWORD_FILE",
            _("expected either MAILDROP_PASSWORD or MAILDROP_PASSWORD_FILE, not both"),
        )


def _check_login(settings: Settings, values: dict[str, Any]) -> None:
    auth = values["auth"]
    password = values["password"] or values["password_file"]
    if auth == "xoauth2":
        _check_oauth(settings, values)
    elif auth and not values["login"]:
        raise settings.error(
            "MAILDROP_AUTH",
            _("expected a MAILDROP_LOGIN to go with ${auth}", mapping={"auth": auth}),
        )
    elif bool(values["login"]) != bool(password):
        given, missing = "MAILDROP_LOGIN", "MAILDROP_PASSWORD"
        if not values["login"]:
            given, missing = missing, given
        if values["password_file"]:
            given = "MAILDROP_PASSWORD_FILE"
        unused = _(
            "not used without ${missing}: there is no login",
            mapping={"missing": missing},
        )
        settings.warn(given, unused)


def _check_oauth(settings: Settings, values: dict[str, Any]) -> None:
    needed = ("MAILDROP_LOGIN", "MAILDROP_OAUTH_TOKEN_URL", "MAILDROP_OAUTH_CLIENT_ID")
    missing = [name for name in needed if not values[BY_NAME[name].attribute]]
    if missing:
        raise settings.error(
            "MAILDROP_AUTH",
            _(
                "expected ${missing} to go with xoauth2",
                mapping={"missing": ", ".join(missing)},
            ),
        )
    if not (values["oauth_client_secret_file"] or values["oauth_refresh_token_file"]):
        raise settings.error(
            "MAILDROP_AUTH",
            _(
                "expected MAILDROP_OAUTH_CLIENT_SECRET_FILE or "
                "MAILDROP_OAUTH_REFRESH_TOKEN_FILE to go with xoauth2"
            ),
        )


def _check_receiver(settings: Settings, receivers: tuple[str, ...]) -> None:
    # Once it is forgotten, no recipient gets any mail, and every record says they do.
    if receivers:
        settings.warn(
            "DEBUG_RECEIVER",
            _(
                "all mail goes to ${receivers}, and none to its recipients",
                mapping={"receivers": ", ".join(receivers)},
            ),
        )
