"""The programs of a part, run as a person runs them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from servers.catcher import Catcher
from waiting import wait_until

DONE, FAILED, USAGE, NOT_RUNNING = 0, 1, 2, 3
MAIL = "From: site@example.org\nTo: somebody@example.org\nSubject: hello\n\nbody\n"


@pytest.fixture
def catcher() -> Iterator[Catcher]:
    with Catcher() as catcher:
        yield catcher


@pytest.fixture
def one(room, catcher):
    room.built(
        f"""
        [maildrop]
        recipe = collective.recipe.maildrophost
        smtp-host = 127.0.0.1
        smtp-port = {catcher.port}
        """
    )
    return room


@pytest.fixture
def two(room, catcher):
    room.built(
        f"""
        [maildrop]
        recipe = collective.recipe.maildrophost
        daemons = main newsletter
        smtp-host = 127.0.0.1:{catcher.port}

        [newsletter]
        batch = 1
        """
    )
    return room


@pytest.fixture
def ended(room) -> Iterator[None]:
    """What a test starts does not outlive it."""
    yield
    room.script("maildrop-stop")


def running(room, *daemon: str) -> bool:
    return room.script("maildrop-status", *daemon).returncode == DONE


def test_the_program_is_bound_to_its_configuration(one):
    stats = one.script("maildrop", "stats", "--json")
    assert stats.returncode == DONE, stats.stderr
    assert json.loads(stats.stdout)["daemons"] == []


def test_a_part_that_was_not_started_says_so(one):
    assert one.script("maildrop-status").returncode == NOT_RUNNING


def test_a_started_daemon_delivers_until_it_is_stopped(one, ended, catcher):
    start = one.script("maildrop-start")
    assert start.returncode == DONE, start.stdout + start.stderr
    wait_until(lambda: running(one), what="the daemon's first sign of life")
    drop = one / "var/maildrop/spool/mail"
    drop.write_text(f"##To:somebody@example.org\n##From:site@example.org\n{MAIL}")
    (caught,) = catcher.wait_for(1)
    assert caught.recipients == ("somebody@example.org",)
    stop = one.script("maildrop-stop")
    assert stop.returncode == DONE, stop.stdout + stop.stderr
    assert one.script("maildrop-status").returncode == NOT_RUNNING


def test_a_restarted_daemon_is_another_process(one, ended):
    assert one.script("maildrop-start").returncode == DONE
    wait_until(lambda: running(one), what="the daemon's first sign of life")
    before = pids(one)
    restart = one.script("maildrop-restart")
    assert restart.returncode == DONE, restart.stdout + restart.stderr
    after = wait_until(
        lambda: pids(one) - before, what="the daemon's second sign of life"
    )
    assert len(after) == 1


def pids(room) -> set[int]:
    stats = json.loads(room.script("maildrop", "stats", "--json").stdout)
    return {daemon["pid"] for daemon in stats["daemons"]}


def test_every_daemon_of_the_part_is_started_with_it(two, ended):
    start = two.script("maildrop-start")
    assert start.returncode == DONE, start.stdout + start.stderr
    wait_until(lambda: running(two), what="both daemons' first sign of life")
    stop = two.script("maildrop-stop", "newsletter")
    assert stop.returncode == DONE, stop.stdout + stop.stderr
    assert running(two, "main")
    assert not running(two, "newsletter")
    assert two.script("maildrop-status").returncode == NOT_RUNNING


def test_all_daemons_of_the_part_answer_with_one_json_document(two):
    status = two.script("maildrop-status", "--json")
    assert status.returncode == NOT_RUNNING
    answers = json.loads(status.stdout)
    assert list(answers) == ["main", "newsletter"]
    (alone,) = {json.dumps(answer) for answer in answers.values()}
    one = two.script("maildrop-status", "--json", "newsletter")
    assert json.loads(one.stdout) == json.loads(alone)
    assert json.loads(alone)["running"] is False


def test_a_daemon_that_cannot_answer_is_null_in_the_json_document(two):
    (two / "parts/maildrop/newsletter.conf").write_text("SMTP_PORT=smtp\n")
    status = two.script("maildrop-status", "--json")
    assert status.returncode == NOT_RUNNING
    answers = json.loads(status.stdout)
    assert answers["main"]["running"] is False
    assert answers["newsletter"] is None
    assert status.stderr.startswith("maildrop newsletter: ")


def test_without_an_answer_there_is_no_json_document(two):
    wrong = two.script("maildrop-stop", "--json")
    assert (wrong.returncode, wrong.stdout) == (USAGE, "")


def test_a_command_goes_to_the_named_daemon(two):
    sent = two.run(
        "/bin/sh",
        "-c",
        f"printf '{MAIL}' | bin/maildrop newsletter"
        " send -f site@example.org somebody@example.org",
    )
    assert sent.returncode == DONE, sent.stderr
    queued = two.script("maildrop", "newsletter", "queue", "--json")
    assert len(json.loads(queued.stdout)) == 1
    other = two.script("maildrop", "main", "queue", "--json")
    assert json.loads(other.stdout) == []


def test_without_the_name_of_a_daemon_the_program_lists_all(two):
    alone = two.script("maildrop")
    assert alone.returncode == USAGE
    assert "main, newsletter" in alone.stderr


def test_the_help_lists_the_daemons_too(two):
    asked = two.script("maildrop", "--help")
    assert asked.returncode == DONE
    assert "main, newsletter" in asked.stdout


@pytest.mark.parametrize("script", ["maildrop", "maildrop-start", "maildrop-status"])
def test_an_unknown_daemon_suggests_the_nearest(two, script):
    wrong = two.script(script, "newletter")
    assert wrong.returncode == USAGE
    assert "did you mean newsletter?" in wrong.stderr
