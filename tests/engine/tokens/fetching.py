"""Tokens, fetched as a daemon fetches them."""

from __future__ import annotations

import asyncio

import pytest

from collective.maildrophost.engine.tokens import TokenFault, source_of

SECRET = "s3cr3t~of+the/client%41"
REFRESH = "1//refresh-token_one"


def fetch(configuration, times: int = 1) -> list[str]:
    source = source_of(configuration)

    async def all_of_them() -> list[str]:
        token, found = None, []
        for _ in range(times):
            token = await source.token(token)
            found.append(token.secret.reveal())
        return found

    return asyncio.run(all_of_them())


def fault(configuration) -> TokenFault:
    with pytest.raises(TokenFault) as raised:
        fetch(configuration)
    assert raised.value.reason.isprintable()
    return raised.value
