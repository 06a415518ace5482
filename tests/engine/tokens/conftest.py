"""Sources of tokens: by a real configuration, or of an endpoint that counts."""

from __future__ import annotations

import pytest
from engine.tokens.numbered import Endpoint

from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.tokens import TokenSource

MAILBOX = "site@example.org"


@pytest.fixture
def configure(tmp_path):
    """A configuration with xoauth2; the text of its files comes with their names."""

    def configured(url, secret="", refresh_token="", **options):
        chosen = {
            "MAILDROP_HOME": tmp_path,
            "MAILDROP_AUTH": "xoauth2",
            "MAILDROP_LOGIN": MAILBOX,
            "MAILDROP_OAUTH_TOKEN_URL": url,
            "MAILDROP_OAUTH_CLIENT_ID": "client-1",
            "MAILDROP_OAUTH_SCOPE": "https://relay.test/.default",
            **options,
        }
        for name, text in (("CLIENT_SECRET", secret), ("REFRESH_TOKEN", refresh_token)):
            if text:
                file = tmp_path / name.lower()
                file.write_text(text)
                chosen[f"MAILDROP_OAUTH_{name}_FILE"] = file
        path = tmp_path / "maildrop.conf"
        path.write_text("".join(f"{key}='{chosen[key]}'\n" for key in chosen))
        return load(path, {})

    return configured


@pytest.fixture
def endpoint():
    return Endpoint()


@pytest.fixture
def source(endpoint):
    return TokenSource(endpoint.fetch, lambda: endpoint.now)
