"""The command line says and does the same whatever database has the queue."""

from __future__ import annotations

import re
import time

import pytest
from engine.cli.conftest import Site
from servers.catcher import Catcher
from servers.postgresql import PostgreSQL

from collective.maildrophost.engine.cli.checks import Level, clock

MAIL = b"From: a@x.org\nSubject: hello\nMessage-Id: <1@x.org>\n\nbody\n"
STEPS = (
    ("send", "-f", "a@x.org", "b@x.org", "c@x.org"),
    ("send", "-f", "a@x.org", "--lane", "bulk", "b@x.org"),
    ("send", "-f", "a@x.org", "--at", "2100-01-01T00:00:00Z", "later@x.org"),
    ("queue", "--json"),
    ("queue", "--limit", "2"),
    ("hold", "2"),
    ("hold", "--lane", "bulk"),
    ("queue", "--state", "held"),
    ("release", "2"),
    ("stats",),
    ("run", "--once"),
    ("show", "1"),
    ("show", "2"),
    ("release", "--lane", "bulk"),
    ("run", "--once"),
    ("retry", "--all"),
    ("queue", "--state", "failed"),
    ("delete", "3", "--yes"),
    ("show", "3"),
    ("stats", "--json"),
    ("status", "--json"),
)
VARIES = re.compile(
    r"\d{4}-\d\d-\d\d[T ][\d:.]+Z?|127\.0\.0\.1:\d+|\b\d+s\b|(?<=_seconds\": )[\d.]+"
)


@pytest.fixture
def shared_site(tmp_path, postgresql_url):
    home = tmp_path / "shared"
    home.mkdir()
    site = Site(home)
    site.url = postgresql_url
    site.configure(MAILDROP_QUEUE=postgresql_url)
    return site


@pytest.mark.parametrize(
    ("ahead", "level", "words"),
    [
        (0.0, Level.OK, "agrees with the database server and the disk"),
        (3600.0, Level.WARNING, "ahead of the database server's: mail is tried,"),
        (-3600.0, Level.WARNING, "behind the database server's: mail may wait"),
    ],
)
def test_a_clock_is_compared_with_that_of_the_server(
    shared_site, monkeypatch, ahead, level, words
):
    """All heartbeats carry the server's time, whatever the daemons' own clocks say."""
    with monkeypatch.context() as elsewhere:
        now = time.time
        elsewhere.setattr(clock.time, "time", lambda: now() + ahead)
        elsewhere.setattr(clock, "_disk", lambda home: iter(()))
        (finding,) = clock.check(shared_site.configuration)
    assert finding.level is level
    assert words in finding.text


@pytest.fixture
def sites(tmp_path, shared_site):
    """Two configurations; only MAILDROP_QUEUE differs."""
    (tmp_path / "alone").mkdir()
    return {
        Site(tmp_path / "alone"): {},
        shared_site: {"MAILDROP_QUEUE": shared_site.url},
    }


def said(site, step):
    """Status and words of a command, without what differs from run to run."""
    ended = site.ctl(*step, stdin=MAIL)
    return ended.status, VARIES.sub("~", ended.out), VARIES.sub("~", ended.err)


def test_every_command_says_and_does_the_same(sites):
    alone, shared = [], []
    for heard, (site, option) in zip((alone, shared), sites.items(), strict=True):
        with Catcher() as relay:
            site.configure(SMTP_PORT=relay.port, **option)
            heard += [(step, *said(site, step)) for step in STEPS]
    assert shared == alone
    assert {status for _, status, *_ in shared} == {0, 1, 3}


def test_a_check_says_where_the_queue_is(shared_site):
    assert (
        f"{shared_site.url} opens, 0 messages waiting" in shared_site.ctl("check").out
    )


@pytest.mark.parametrize("durable", [True, False])
def test_a_check_warns_of_a_server_that_does_not_wait_for_its_disk(
    shared_site, durable
):
    with PostgreSQL(durable=durable) as server:
        shared_site.configure(MAILDROP_QUEUE=server.url(server.create()))
        said = shared_site.ctl("check").out
    assert "opens, 0 messages waiting" in said
    warned = re.search(r"warning +queue +the server runs with fsync off", said)
    assert bool(warned) is not durable


@pytest.fixture
def empty_database(postgresql):
    """Its URL, and that of a role that owns nothing in it."""
    name = postgresql.create()
    postgresql.execute(f"CREATE ROLE user_{name} LOGIN")
    yield postgresql.url(name), postgresql.url(name, f"user_{name}")
    postgresql.drop(name)
    postgresql.execute(f"DROP ROLE user_{name}")


def test_the_owner_makes_the_tables_with_a_check(shared_site, empty_database):
    owners, users = empty_database
    shared_site.configure(MAILDROP_QUEUE=users)
    assert re.search(r"failed +queue .* lacks a right", shared_site.ctl("check").out)
    made = shared_site.ctl("check", MAILDROP_QUEUE=owners)
    assert f"{owners} opens, 0 messages waiting" in made.out


def test_a_backup_is_left_to_the_tools_of_the_server(shared_site, tmp_path):
    ended = shared_site.ctl("backup", str(tmp_path / "copy"))
    assert ended.status == 1
    assert "back it up with the tools of its database" in ended.err
    assert not (tmp_path / "copy").exists()
