"""The login by XOAUTH2 on the way to a relay (FAULTS 7)."""

from __future__ import annotations

import asyncio
import socket

import pytest
from servers.scripted import Scripted
from servers.tokens import TokenServer, refusal

from collective.maildrophost.engine.config import RelayAddress, load
from collective.maildrophost.engine.delivery import Route
from collective.maildrophost.engine.secrets import Secret
from collective.maildrophost.engine.smtp import Login, Phase, RelayFault, Security
from collective.maildrophost.engine.tokens.endpoint import Endpoint


@pytest.fixture
def route(tmp_path):
    def to(relay, tokens) -> Route:
        (tmp_path / "secret").write_text("s3cret\n")
        path = tmp_path / "maildrop.conf"
        path.write_text(
            f"MAILDROP_HOME='{tmp_path}'\n"
            "SMTP_HOST=127.0.0.1\n"
            f"SMTP_PORT={relay.port}\n"
            "MAILDROP_AUTH=xoauth2\n"
            "MAILDROP_LOGIN=site@example.org\n"
            f"MAILDROP_OAUTH_TOKEN_URL='{tokens.url}'\n"
            "MAILDROP_OAUTH_CLIENT_ID=client-1\n"
            f"MAILDROP_OAUTH_CLIENT_SECRET_FILE='{tmp_path}/secret'\n"
        )
        return Route.of(load(path, {}))

    return to


def connect(route: Route, times: int = 1) -> None:
    async def all_at_once() -> None:
        opening = [route.open(route.hosts[0]) for _ in range(times)]
        for connection in await asyncio.gather(*opening):
            await connection.quit()

    asyncio.run(all_at_once())


def fault(route: Route) -> RelayFault:
    with pytest.raises(RelayFault) as raised:
        connect(route)
    return raised.value


def logins(relay: Scripted) -> list[tuple[str, str]]:
    return [talk.login for talk in relay.conversations if talk.login]


def test_a_route_is_as_the_configuration_says(tmp_path):
    path = tmp_path / "maildrop.conf"
    path.write_text(
        f"MAILDROP_HOME='{tmp_path}'\n"
        "SMTP_HOST='one;two:587'\n"
        "MAILDROP_HELO_NAME=site.example.org\n"
        "MAILDROP_TLS=1\n"
        "MAILDROP_TLS_VERIFY=0\n"
        "MAILDROP_LOGIN=site\n"
        "MAILDROP_PASSWORD=s3cret\n"
        "MAILDROP_AUTH=login\n"
        "MAILDROP_ALLOW_CLEARTEXT_LOGIN=1\n"
    )
    found = Route.of(load(path, {}))
    assert (found.name, found.helo_name) == ("one:25;two:587", "site.example.org")
    assert found.security == Security(1, False, "")
    assert found.login == Login("site", Secret("s3cret"), "login", True)


@pytest.mark.parametrize(
    ("machine", "said"),
    [
        ("box.example.org", "box.example.org"),
        ("box", "[127.0.0.1]"),
        ("box.", "[127.0.0.1]"),
    ],
)
def test_ehlo_says_the_machines_name_where_that_is_a_full_one(
    monkeypatch, machine, said
):
    monkeypatch.setattr(socket, "gethostname", lambda: machine)
    with Scripted() as relay:
        host = RelayAddress("127.0.0.1", relay.port)
        connect(Route((host,), Security(0), None))
        assert f"EHLO {said}" in relay.commands


def test_all_connections_log_in_with_one_token(route):
    with TokenServer() as tokens, Scripted(login=lambda *given: True) as relay:
        connect(route(relay, tokens), times=8)
        assert logins(relay) == [("site@example.org", "token-1")] * 8
        assert len(tokens.requests) == 1


def test_a_refused_token_is_replaced_once_on_a_new_connection(route):
    with (
        TokenServer() as tokens,
        Scripted(login=lambda user, token: token == "token-2") as relay,
    ):
        connect(route(relay, tokens))
        assert [token for _, token in logins(relay)] == ["token-1", "token-2"]
        assert [talk.verbs[-1] for talk in relay.conversations] == ["AUTH", "QUIT"]


def test_many_connections_with_a_refused_token_ask_for_one_new_one(route):
    with (
        TokenServer() as tokens,
        Scripted(login=lambda user, token: token == "token-2") as relay,
    ):
        connect(route(relay, tokens), times=8)
        assert len(tokens.requests) == 2


def test_an_error_of_ours_while_a_token_is_fetched_is_no_messages_fault(
    route, monkeypatch, caplog
):
    broken = RuntimeError("s3cret")

    def break_it(self, grant):
        raise broken

    monkeypatch.setattr(Endpoint, "ask", break_it)
    with TokenServer() as tokens, Scripted() as relay:
        raised = fault(route(relay, tokens))
    assert raised.phase is Phase.TOKEN
    assert raised.reason == "an unexpected RuntimeError while a token was asked for"
    assert not raised.permanent
    assert "the access token for 127.0.0.1" in caplog.text
    assert "s3cret" not in caplog.text


def test_a_second_refusal_is_a_fault_of_the_relay_for_a_person_to_mend(route):
    with TokenServer() as tokens, Scripted(login=lambda *given: False) as relay:
        raised = fault(route(relay, tokens))
        assert (raised.phase, raised.permanent) == (Phase.AUTH, True)
        assert len(tokens.requests) == len(relay.conversations) == 2


@pytest.mark.parametrize("answer", ["454 4.7.0 later", "534 5.7.9 not you"])
def test_only_a_535_asks_for_a_new_token(route, answer):
    with (
        TokenServer() as tokens,
        Scripted({"AUTH": answer}, login=lambda *given: True) as relay,
    ):
        raised = fault(route(relay, tokens))
        assert raised.permanent == answer.startswith("5")
        assert len(tokens.requests) == len(relay.conversations) == 1


@pytest.mark.parametrize(
    ("answer", "permanent"), [((503, ""), False), (refusal("invalid_client"), True)]
)
def test_without_a_token_the_relay_is_at_fault_without_being_called(
    route, answer, permanent
):
    with TokenServer(answer) as tokens, Scripted(login=lambda *given: True) as relay:
        raised = fault(route(relay, tokens))
        assert (raised.phase, raised.permanent) == (Phase.TOKEN, permanent)
        assert raised.relay.port == relay.port
        assert relay.conversations == []
