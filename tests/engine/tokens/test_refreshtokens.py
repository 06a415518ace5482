"""Refresh tokens that the endpoint replaces."""

from __future__ import annotations

import asyncio
import os
import stat
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from engine.tokens.fetching import REFRESH, fetch
from servers.tokens import TokenServer
from waiting import wait_until

from collective.maildrophost.engine.tokens import await_replacements, source_of


def rotating(server_tokens):
    def answer(fields):
        turn = len(server_tokens) + 1
        server_tokens.append(fields["refresh_token"])
        token = {"access_token": f"a{turn}", "token_type": "Bearer", "expires_in": 60}
        return 200, {**token, "refresh_token": f"r{turn}"}

    return answer


def test_a_replaced_refresh_token_is_used_and_kept(configure, tmp_path):
    shown: list[str] = []
    file = tmp_path / "refresh_token"
    with TokenServer(rotating(shown)) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        file.chmod(0o644)
        fetch(configuration, times=2)
        assert shown == [REFRESH, "r1"]
        assert file.read_text() == "r2\n"
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert [each.name for each in tmp_path.glob(".refresh*")] == []
        fetch(configuration)
    assert shown == [REFRESH, "r1", "r2"], "a restart goes on with the last one"


def test_a_link_to_the_refresh_token_stays_a_link(configure, tmp_path):
    real = tmp_path / "elsewhere"
    with TokenServer(rotating([])) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        (tmp_path / "refresh_token").rename(real)
        (tmp_path / "refresh_token").symlink_to(real)
        fetch(configuration)
    assert (tmp_path / "refresh_token").is_symlink()
    assert real.read_text() == "r1\n"


def test_a_refresh_token_that_cannot_be_kept_is_a_warning_once(
    configure, tmp_path, monkeypatch, caplog
):
    def refuse(*names):
        raise PermissionError(13, "Permission denied")

    shown: list[str] = []
    with TokenServer(rotating(shown)) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        monkeypatch.setattr(os, "replace", refuse)
        fetch(configuration, times=3)
        assert shown == [REFRESH, "r1", "r2"], "in memory it goes on"
    [record] = [each for each in caplog.records if each.levelname == "WARNING"]
    assert "lost when the daemon ends" in record.getMessage()
    assert (tmp_path / "refresh_token").read_text() == REFRESH
    assert [each.name for each in tmp_path.glob(".refresh*")] == []


@pytest.fixture
def read_only(monkeypatch):
    """From the call on no file can be replaced, until a call with False."""
    replace = os.replace

    def refuse(*names):
        raise OSError(30, "Read-only file system")

    return lambda on=True: monkeypatch.setattr(os, "replace", refuse if on else replace)


def test_a_token_that_cannot_be_kept_is_known_after_one_that_could_be(
    configure, tmp_path, read_only
):
    """The file says what the provider has taken back with the second one."""
    shown: list[str] = []
    with TokenServer(rotating(shown)) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        fetch(configuration)
        assert (tmp_path / "refresh_token").read_text() == "r1\n"
        read_only()
        fetch(configuration, times=3)
    assert shown == [REFRESH, "r1", "r2", "r3"]


def test_a_refresh_token_that_cannot_be_kept_is_known_after_a_reload(
    configure, read_only
):
    shown: list[str] = []
    with TokenServer(rotating(shown)) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        read_only()
        fetch(configuration)
        fetch(configuration)
    assert shown == [REFRESH, "r1"]


def test_a_token_from_a_person_is_shown_once_though_its_file_cannot_be_replaced(
    configure, tmp_path, read_only
):
    shown: list[str] = []
    with TokenServer(rotating(shown)) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        read_only()
        fetch(configuration)
        (tmp_path / "refresh_token").write_text("from-a-person")
        fetch(configuration, times=3)
    assert shown == [REFRESH, "from-a-person", "r2", "r3"]


@pytest.mark.parametrize("says", [{"refresh_token": "r1"}, {}])
def test_a_token_that_could_not_be_kept_is_kept_once_the_file_can_be_written(
    configure, tmp_path, read_only, caplog, says
):
    """Though the provider replaces none for weeks then."""
    shown: list[str] = []
    rotate = rotating(shown)

    def seldom(fields):
        status, token = rotate(fields)
        return status, token if len(shown) == 1 else {
            **token,
            "refresh_token": "",
            **says,
        }

    with TokenServer(seldom) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        read_only()
        fetch(configuration, times=2)
        read_only(False)
        fetch(configuration)
        assert (tmp_path / "refresh_token").read_text() == "r1\n"
        assert shown == [REFRESH, "r1", "r1"]
        inode = (tmp_path / "refresh_token").stat().st_ino
        fetch(configuration)
        assert (tmp_path / "refresh_token").stat().st_ino == inode, "no write in vain"
    assert len([each for each in caplog.records if each.levelname == "WARNING"]) == 1


@pytest.mark.parametrize(
    ("found", "left"), [(REFRESH, "r1\n"), ("from-a-person", "from-a-person")]
)
def test_a_token_that_could_not_be_kept_is_kept_at_the_end(
    configure, tmp_path, read_only, found, left
):
    """The disk was full for a minute, and the next token is asked for in an hour."""
    file = tmp_path / "refresh_token"
    with TokenServer(rotating([])) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        read_only()
        fetch(configuration)
    read_only(False)
    file.write_text(found)
    await_replacements()
    assert file.read_text() == left


def test_each_time_that_the_file_cannot_be_written_is_a_warning(
    configure, read_only, caplog
):
    with TokenServer(rotating([])) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        for refused in (True, False, True):
            read_only(refused)
            fetch(configuration, times=2)
    assert len([each for each in caplog.records if each.levelname == "WARNING"]) == 2


def test_a_reload_while_the_endpoint_takes_its_time_shows_no_token_twice(configure):
    shown: list[str] = []
    with TokenServer(rotating(shown)) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        server.gate.clear()
        with ThreadPoolExecutor() as threads:
            before = threads.submit(fetch, configuration)
            wait_until(lambda: server.requests, what="the first request")
            after = threads.submit(fetch, configuration)
            time.sleep(0.2)
            assert len(server.requests) == 1
            server.gate.set()
            assert [*before.result(), *after.result()] == ["a1", "a2"]
    assert shown == [REFRESH, "r1"]


def test_a_refresh_token_that_a_person_replaces_counts_at_once(configure, tmp_path):
    shown: list[str] = []
    with TokenServer(rotating(shown)) as server:
        source = source_of(configure(server.url, refresh_token=REFRESH))

        async def story() -> None:
            token = await source.token()
            (tmp_path / "refresh_token").write_text("from-a-person")
            await source.token(token)

        asyncio.run(story())
    assert shown == [REFRESH, "from-a-person"]


@pytest.mark.parametrize("before", [0, 1])
def test_a_token_from_a_person_stays_when_the_endpoint_answers_after_it(
    configure, tmp_path, read_only, before
):
    """Also where one that could not be written before waits for its turn."""
    shown: list[str] = []
    rotate = rotating(shown)
    file = tmp_path / "refresh_token"

    def meanwhile(fields):
        if len(shown) == before:
            file.write_text("from-a-person")
        return rotate(fields)

    with TokenServer(meanwhile) as server:
        configuration = configure(server.url, refresh_token=REFRESH)
        read_only()
        fetch(configuration, times=before)
        read_only(False)
        fetch(configuration)
        assert file.read_text() == "from-a-person"
        fetch(configuration)
    assert shown[before + 1 :] == ["from-a-person"]
    assert file.read_text() == f"r{before + 2}\n"


def test_a_token_whose_file_is_lost_while_the_endpoint_answers_is_written(
    configure, tmp_path
):
    """The one that was shown may be good for nothing by then."""
    rotate = rotating([])
    file = tmp_path / "refresh_token"

    def meanwhile(fields):
        file.unlink()
        return rotate(fields)

    with TokenServer(meanwhile) as server:
        fetch(configure(server.url, refresh_token=REFRESH))
    assert file.read_text() == "r1\n"
