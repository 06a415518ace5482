"""The token source that a configuration asks for."""

from __future__ import annotations

from importlib.util import find_spec

from ..config import Configuration, ConfigurationError
from ..secrets import Secret
from ..wording import Wording, _, verbatim
from . import files
from .endpoint import Endpoint, Issued
from .fault import TokenFault
from .grants import (
    SECRET_FILE,
    ClientCredentials,
    Grant,
    RefreshToken,
    service_account,
)
from .source import TokenSource

LIBRARIES = ("authlib", "joserfc", "requests")


def source_of(configuration: Configuration) -> TokenSource:
    """A source of tokens; ConfigurationError when it could never give one."""
    if not all(find_spec(library) for library in LIBRARIES):
        raise _error(
            configuration,
            "MAILDROP_AUTH",
            _("xoauth2 needs more libraries: install collective.maildrophost[oauth]"),
        )
    fetcher = _Fetcher(configuration)
    try:
        fetcher.grant()
    except TokenFault as fault:
        option, _colon, reason = fault.reason.partition(": ")
        raise _error(configuration, option, verbatim(reason)) from None
    return TokenSource(fetcher)


class _Fetcher:
    """Called for each token: shows the endpoint what the files hold at that moment."""

    def __init__(self, configuration: Configuration) -> None:
        self._client_id = configuration.oauth_client_id
        self._mailbox = configuration.login
        self._secret_file = configuration.oauth_client_secret_file
        self._refresh_token = (
            files.refresh_token_file(configuration.oauth_refresh_token_file)
            if configuration.oauth_refresh_token_file
            else None
        )
        self._endpoint = Endpoint(
            configuration.oauth_token_url,
            configuration.oauth_scope,
            configuration.tls_ca_file,
        )

    def __call__(self) -> Issued:
        """A token; TokenFault."""
        file = self._refresh_token
        if file is None:
            return self._endpoint.ask(self.grant())
        with file.turn():
            grant = self._refresh_grant(file)
            issued = self._endpoint.ask(grant)
            shown = grant.refresh_token
            file.replace(shown, issued.refresh_token or shown)
            return issued

    def grant(self) -> Grant:
        """What the endpoint is shown; TokenFault when a file is not as it must be."""
        if self._refresh_token is not None:
            return self._refresh_grant(self._refresh_token)
        text = files.read(SECRET_FILE, self._secret_file)
        account = service_account(text, self._mailbox)
        return account or ClientCredentials(self._client_id, self._client_secret())

    def _refresh_grant(self, file: files.RefreshTokenFile) -> RefreshToken:
        return RefreshToken(self._client_id, self._client_secret(), file.read())

    def _client_secret(self) -> Secret:
        if not self._secret_file:
            return Secret("")
        return files.read_line(SECRET_FILE, self._secret_file)


def _error(
    configuration: Configuration, option: str, expected: Wording
) -> ConfigurationError:
    return ConfigurationError(configuration.path, None, option, expected)
