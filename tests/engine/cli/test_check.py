"""`check`: each thing that mail needs, ok or with what to do."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time

import pytest
from servers.catcher import Catcher
from servers.scripted import Scripted
from servers.tokens import TokenServer, refusal
from waiting import wait_until

from collective.maildrophost.engine.cli.checks import (
    Level,
    clock,
    configurationfile,
    directories,
)
from collective.maildrophost.engine.cli.checks import queue as queue_check
from collective.maildrophost.engine.metrics import library
from collective.maildrophost.engine.queue import Daemon, register
from collective.maildrophost.engine.queue.sqlite import has_wal_reset_bug


def failed(site, subject: str) -> str:
    """What the check says of a subject that it finds wrong."""
    ended = site.ctl("check", "--json")
    assert ended.status == 1
    texts = [
        finding["text"]
        for finding in ended.json
        if (finding["subject"], finding["level"]) == (subject, "failed")
    ]
    assert texts, ended.out
    return texts[0]


def fine(site, subject: str, **environ: str) -> list[str]:
    found = site.ctl("check", "--json", **environ).json
    return [
        finding["text"]
        for finding in found
        if (finding["subject"], finding["level"]) == (subject, "ok")
    ]


def test_all_is_well(site):
    with Catcher() as catcher, site.background("run"):
        site.configure(SMTP_PORT=catcher.port)
        assert site.ctl("start").status == 0
        ended = site.ctl("check")
        assert ended.status == 0, ended.out
        assert {line.split()[0] for line in ended.out.splitlines()} <= {"ok", "warning"}
        assert catcher.messages == []


def test_a_configuration_with_an_error_is_named_and_ends_with_2(site):
    site.configure(SMTP_PORT="x")
    ended = site.ctl("check")
    assert ended.status == 2
    assert ended.out.startswith("failed ")
    assert "SMTP_PORT" in ended.out
    assert site.ctl("check", "--json").json[0]["level"] == "failed"


def test_a_warning_of_the_configuration_is_a_warning(site):
    site.configure(SMTP_HOSTS="x")
    ended = site.ctl("check", "--json")
    assert ended.json[0]["level"] == "warning"
    assert "SMTP_HOST" in ended.json[0]["text"]
    assert ended.err == ""


def test_a_password_that_everybody_can_read_fails(site):
    site.configure(MAILDROP_LOGIN="me", MAILDROP_PASSWORD="hush")
    site.path.chmod(0o644)
    assert "chmod 600" in failed(site, "configuration")


def test_a_password_of_the_environment_is_not_in_the_file(site):
    site.path.chmod(0o644)
    secrets = {"MAILDROP_LOGIN": "me", "MAILDROP_PASSWORD": "hush"}
    assert fine(site, "configuration", **secrets) == [f"{site.path} is valid"]


def test_a_password_of_the_queue_that_everybody_can_read_fails(site):
    site.configure(MAILDROP_QUEUE="postgresql+psycopg://me:hush@127.0.0.1:1/db")
    site.path.chmod(0o644)
    assert "chmod 600" in failed(site, "configuration")


def test_a_password_file_that_everybody_can_read_fails(site):
    secret = site.home / "secret"
    secret.write_text("hush\n")
    secret.chmod(0o644)
    site.configure(MAILDROP_LOGIN="me", MAILDROP_PASSWORD_FILE=secret)
    text = failed(site, "configuration")
    assert str(secret) in text
    assert "hush" not in site.ctl("check").out


def test_a_configuration_without_a_secret_may_be_read(site):
    site.path.chmod(0o644)
    assert fine(site, "configuration") == [f"{site.path} is valid"]


@pytest.mark.parametrize("name", ["spool", "var"])
def test_a_directory_that_is_none_fails(name, site):
    (site.home / name).write_text("")
    text = failed(site, "directories")
    (site.home / name).unlink()
    assert str(site.home / name) in text


def test_a_queue_that_does_not_open_fails(site):
    (site.home / "queue.db").write_text("this is no database, but long enough " * 99)
    assert "queue.db" in failed(site, "queue")


def test_an_old_sqlite_is_a_warning(site):
    site.send()
    found = site.ctl("check", "--json").json
    levels = [each["level"] for each in found if "SQLite" in each["text"]]
    old = has_wal_reset_bug(sqlite3.sqlite_version_info)
    assert levels == ["warning" if old else "ok"]


def test_a_closed_port_fails(site):
    text = failed(site, "relay")
    assert text.startswith("127.0.0.1:1: connect: ")
    assert "SMTP_PORT" in text


def test_a_name_that_does_not_resolve_fails(site):
    site.configure(SMTP_HOST="no-such-relay.invalid")
    assert "no-such-relay.invalid" in failed(site, "relay")


def test_each_relay_has_its_line(site):
    with Catcher() as catcher:
        site.configure(SMTP_HOST=f"127.0.0.1:1;127.0.0.1:{catcher.port}")
        assert failed(site, "relay").startswith("127.0.0.1:1: ")
        assert fine(site, "relay") == [f"127.0.0.1:{catcher.port} would take mail"]


def test_a_relay_without_starttls_fails_where_it_is_required(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port, MAILDROP_TLS=2)
        assert "MAILDROP_TLS" in failed(site, "relay")


def test_a_certificate_that_nobody_vouches_for_fails(site):
    with Catcher(tls="starttls") as catcher:
        site.configure(SMTP_PORT=catcher.port, MAILDROP_TLS=2)
        text = failed(site, "relay")
        assert "certificate" in text
        assert "MAILDROP_TLS_CA_FILE" in text
        site.configure(
            SMTP_PORT=catcher.port,
            MAILDROP_TLS=2,
            MAILDROP_TLS_CA_FILE=catcher.ca_file,
        )
        assert fine(site, "relay")[0].endswith("would take mail, over TLS")


def test_a_refused_login_fails_without_the_password(site):
    with Catcher(login=("me", "right")) as catcher:
        login = {"MAILDROP_LOGIN": "me", "MAILDROP_PASSWORD": "wrong-one"}
        site.configure(SMTP_PORT=catcher.port, **login)
        text = failed(site, "relay")
        assert "auth" in text
        assert "wrong-one" not in text
        login["MAILDROP_PASSWORD"] = "right"
        site.configure(SMTP_PORT=catcher.port, **login)
        assert fine(site, "relay")[0].endswith("would take mail, login accepted")


def test_all_is_well_before_the_first_start(site):
    with Catcher() as catcher:
        site.configure(SMTP_PORT=catcher.port)
        ended = site.ctl("check")
    assert ended.status == 0, ended.out
    assert ended.out.splitlines()[-1].split() == [
        *("warning", "daemon", "none", "is", "running:", "'start'", "starts", "one")
    ]


def test_mail_that_waits_for_no_daemon_fails(site):
    site.send()
    assert "mail waits in the queue: 'start'" in failed(site, "daemon")


def test_a_daemon_that_was_killed_fails(site):
    daemon_seen(site, time.time() - 3600)
    assert "was killed or hangs: 'start'" in failed(site, "daemon")


def with_xoauth2(site, relay, tokens, **options) -> None:
    file = site.home / "client-secret"
    file.write_text("hush-hush-hush")
    file.chmod(0o600)
    site.configure(
        SMTP_PORT=relay.port,
        MAILDROP_AUTH="xoauth2",
        MAILDROP_LOGIN="site@example.org",
        MAILDROP_OAUTH_TOKEN_URL=tokens.url,
        MAILDROP_OAUTH_CLIENT_ID="client-1",
        MAILDROP_OAUTH_CLIENT_SECRET_FILE=file,
        **options,
    )


def test_a_login_with_a_token_is_tried(site):
    with TokenServer() as tokens, Scripted(login=lambda *given: True) as relay:
        with_xoauth2(site, relay, tokens)
        assert fine(site, "relay")[0].endswith("would take mail, login accepted")


def test_a_token_that_the_relay_refuses_fails_with_what_to_do(site):
    with TokenServer() as tokens, Scripted(login=lambda *given: False) as relay:
        with_xoauth2(site, relay, tokens)
        text = failed(site, "relay")
        assert "auth: login as site@example.org refused: 535" in text
        assert "whether its mailbox lets this client send" in text


def test_a_token_endpoint_that_refuses_fails_with_what_to_do(site):
    with TokenServer(refusal("invalid_client")) as tokens, Scripted() as relay:
        with_xoauth2(site, relay, tokens)
        text = failed(site, "relay")
        assert ": token: 127.0.0.1:" in text
        assert ": HTTP 400 invalid_client" in text
        assert "MAILDROP_OAUTH_TOKEN_URL" in text


def test_a_check_that_is_given_up_keeps_what_replaces_a_refresh_token(site):
    """The daemon would be left with one that the provider has forgotten."""
    file = site.home / "refresh-token"
    file.write_text("refresh-1\n")
    answer = 200, {"access_token": "token-1", "refresh_token": "refresh-2"}
    with TokenServer(answer) as tokens, Scripted(login=lambda *given: True) as relay:
        with_xoauth2(site, relay, tokens, MAILDROP_OAUTH_REFRESH_TOKEN_FILE=file)
        tokens.gate.clear()
        with site.background("check") as check:
            wait_until(lambda: tokens.requests, 30, "the request")
            threading.Timer(0.5, tokens.gate.set).start()
            check.interrupt()
    assert file.read_text() == "refresh-2\n"


def test_a_secret_file_that_is_missing_fails(site):
    with TokenServer() as tokens, Scripted() as relay:
        with_xoauth2(site, relay, tokens)
        (site.home / "client-secret").unlink()
        assert "MAILDROP_OAUTH_CLIENT_SECRET_FILE" in failed(site, "relay")


def test_a_configuration_that_cannot_be_read_is_named_and_ends_with_2(site):
    site.path.unlink()
    site.path.mkdir()
    ended = site.ctl("check")
    site.path.rmdir()
    site.configure()
    assert ended.status == 2
    assert "expected a readable configuration file" in ended.out
    assert str(site.path) in ended.out


def test_a_configuration_that_everybody_can_change_fails(site):
    site.path.chmod(0o646)
    assert "chmod o-w" in failed(site, "configuration")


def test_a_directory_that_is_not_writable_fails(site, monkeypatch):
    # Root may write anywhere: the answer of the system is put in its place.
    (site.home / "spool").mkdir()
    monkeypatch.setattr(
        directories.os, "access", lambda path, mode: "spool" not in str(path)
    )
    bad = [each for each in directories.check(site.configuration) if each.level != "ok"]
    (finding,) = bad
    assert f"{site.home}/spool (MAILDROP_SPOOL) is not writable" in finding.text


def found_of_the_log(site):
    (finding,) = [
        each
        for each in directories.check(site.configuration)
        if "(MAILDROP_LOG_FILE)" in each.text
    ]
    return finding


def test_a_log_of_another_user_fails(site, monkeypatch):
    log = site.home / "var" / "maildrop.log"
    log.parent.mkdir()
    log.touch()
    monkeypatch.setattr(directories.os, "access", lambda path, mode: path != log)
    finding = found_of_the_log(site)
    assert finding.level is Level.FAILED
    assert finding.text.startswith(f"{log} (MAILDROP_LOG_FILE) is not writable")


def test_a_log_that_is_a_directory_fails(site):
    (site.home / "var" / "maildrop.log").mkdir(parents=True)
    assert found_of_the_log(site).level is Level.FAILED
    assert site.ctl("start").status == 1


def test_a_log_that_can_be_written_is_fine_where_no_other_can_be_made(
    site, tmp_path, monkeypatch
):
    log = tmp_path / "logs" / "maildrop.log"
    log.parent.mkdir()
    log.touch()
    site.configure(MAILDROP_LOG_FILE=log)
    monkeypatch.setattr(directories.os, "access", lambda path, mode: path != log.parent)
    assert found_of_the_log(site).level is Level.OK


def test_a_home_that_nobody_may_look_at_does_not_end_the_check(site):
    # Root may look everywhere; a name too long for any file fails in the same way.
    site.configure(MAILDROP_HOME=f"{site.home}/{'x' * 300}/home")
    found = site.ctl("check", "--json").json
    said = {(each["subject"], each["level"]) for each in found}
    assert {("queue", "failed"), ("daemon", "failed")} <= said
    assert {"directories", "relay", "clock"} <= {subject for subject, _ in said}


def test_a_directory_out_of_reach_is_not_said_to_be_made_by_the_first_start(
    site, monkeypatch
):
    monkeypatch.setattr(directories.os, "access", lambda path, mode: mode != os.X_OK)
    (finding,) = [
        each for each in directories.check(site.configuration) if "spool" in each.text
    ]
    assert finding.text.endswith(
        f"is out of reach for this user: change the mode of {site.home}"
    )


@pytest.mark.parametrize(
    ("user", "level"), [(0, Level.WARNING), (os.getuid() + 77, Level.FAILED)]
)
def test_a_queue_of_another_user_is_named_with_its_owner(
    user, level, site, monkeypatch
):
    site.send()
    (site.home / "queue.db-wal").touch()
    owner = os.getuid() if user else os.getuid() + 1
    real = type(site.path).stat

    def stat(self, **options):
        found = list(real(self, **options))
        found[4] = owner
        return os.stat_result(found)

    monkeypatch.setattr(queue_check.os, "geteuid", lambda: user)
    monkeypatch.setattr(type(site.path), "stat", stat)
    found = list(queue_check._owners(site.home / "queue.db"))
    assert len(found) >= 2
    assert {each.level for each in found} == {level}
    assert "queue.db belongs to user" in found[0].text


def test_a_queue_that_can_only_be_read_fails(site, monkeypatch):
    # Root may write anywhere: the answer of the system is put in its place.
    site.send()
    queue = site.home / "queue.db"
    monkeypatch.setattr(queue_check.os, "access", lambda path, mode: path != queue)
    found = queue_check.check(site.configuration)
    bad = [each.text for each in found if each.level is Level.FAILED]
    assert bad == [f"{queue} is read-only: chmod u+w {queue}"]


def test_the_files_of_the_own_user_are_fine(site):
    site.send()
    assert list(queue_check._owners(site.home / "queue.db")) == []


def test_a_locked_queue_fails_soon(site):
    site.send()
    began = time.monotonic()
    with contextlib.closing(
        sqlite3.connect(site.home / "queue.db", isolation_level=None)
    ) as other:
        other.execute("BEGIN IMMEDIATE")
        text = failed(site, "queue")
    assert "locked by another program" in text
    assert "fuser" in text
    assert time.monotonic() - began < 25


def test_a_queue_of_a_later_version_fails(site):
    site.send()
    with contextlib.closing(sqlite3.connect(site.home / "queue.db")) as other:
        other.execute("UPDATE maildrop_schema SET version = 99")
        other.commit()
    text = failed(site, "queue")
    assert "version 99" in text
    assert "install the newer collective.maildrophost" in text


@pytest.mark.parametrize(
    ("version", "level"),
    [((3, 40, 1), Level.WARNING), ((3, 51, 2), Level.WARNING), ((3, 51, 3), Level.OK)],
)
def test_each_sqlite_with_the_wal_reset_bug_is_a_warning(version, level, monkeypatch):
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    assert queue_check._library().level is level


def daemon_seen(site, seen: float) -> None:
    with site.queue() as queue, queue.write() as tx:
        register(tx, Daemon("o", "far", 7, "", "", "r:25", seen, seen, seen + 60))


def test_a_daemon_whose_clock_is_ahead_is_a_warning(site):
    daemon_seen(site, time.time() + 3600)
    (text,) = [
        each["text"]
        for each in site.ctl("check", "--json").json
        if each["subject"] == "clock"
    ]
    assert "pid 7 on far is " in text
    assert "NTP" in text


def test_clocks_that_agree_are_fine(site):
    daemon_seen(site, time.time() - 1)
    assert fine(site, "clock") == ["agrees with the daemons and the disk"]
    assert not [path for path in site.home.iterdir() if "clock" in path.name]


def test_a_disk_with_another_time_is_a_warning(site, monkeypatch):
    monkeypatch.setattr(clock.time, "time", lambda now=time.time: now() + 90)
    (finding,) = clock.check(site.configuration)
    assert finding.level is Level.WARNING
    assert "differs by 1m 30s" in finding.text


def test_metrics_without_their_library_are_a_warning(site, monkeypatch):
    site.configure(MAILDROP_METRICS=9180)
    monkeypatch.setattr(library, "find_spec", lambda name: None)
    levels = {
        each.level: each.text for each in configurationfile.check(site.configuration)
    }
    assert "collective.maildrophost[metrics]" in levels[Level.WARNING]
