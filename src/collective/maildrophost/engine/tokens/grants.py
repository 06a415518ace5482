"""What a token endpoint is shown before it gives out a token (RFC 6749 section 1.3)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from ..secrets import Secret
from .fault import TokenFault

SECRET_FILE = "MAILDROP_OAUTH_CLIENT_SECRET_FILE"  # noqa: S105  an option's name


@dataclass(frozen=True)
class ClientCredentials:
    """RFC 6749 section 4.4: it is the program itself that is allowed to send."""

    client_id: str
    client_secret: Secret


@dataclass(frozen=True)
class RefreshToken:
    """RFC 6749 section 6: a person once allowed it; the secret may be empty."""

    client_id: str
    client_secret: Secret
    refresh_token: Secret


@dataclass(frozen=True)
class ServiceAccount:
    """RFC 7523, as Google uses it: a signed statement; `subject` is the mailbox."""

    issuer: str
    key: Secret
    key_id: str
    subject: str

    def signing_key(self) -> Any:
        """The key as joserfc takes it; TokenFault when it is none."""
        from joserfc.jwk import RSAKey  # takes its time, see endpoint

        try:
            key = RSAKey.import_key(self.key.reveal())
        except Exception:  # from several libraries, and its text may quote the key
            key = None
        if key is None or not key.is_private:
            raise TokenFault(
                f"{SECRET_FILE}: the private_key of the service account is no RSA key "
                "without a passphrase: make a new one at the provider",
                permanent=True,
            )
        return key


Grant = ClientCredentials | RefreshToken | ServiceAccount


def service_account(text: str, mailbox: str) -> ServiceAccount | None:
    """The service account whose key (JSON, as Google gives it) is `text`; TokenFault.

    None when it is anything else: a client secret.
    """
    account = _account(text)
    if account is None:
        return None
    try:
        return ServiceAccount(
            issuer=str(account["client_email"]),
            key=Secret(str(account["private_key"])),
            key_id=str(account["private_key_id"]),
            subject=mailbox,
        )
    except KeyError as missing:
        raise TokenFault(
            f"{SECRET_FILE}: the service account's key has no {missing}: make a new "
            "one at the provider",
            permanent=True,
        ) from None


def _account(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if isinstance(found, dict) and found.get("type") == "service_account":
        return found
    return None
