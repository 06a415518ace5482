"""The promises of every command: one clear line, an exit status to rely on."""

from __future__ import annotations

import shlex
import subprocess
import sys

import click
import pytest
from commands import PROGRAM
from engine.cli.typed import command_line, one_line

from collective.maildrophost.engine.cli.commands import COMMANDS
from collective.maildrophost.engine.cli.parameters import LaneName, StateName
from collective.maildrophost.engine.cli.program import _maildropctl


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name, inside):
    ended = inside(name, "--help")
    assert ended.status == 0
    assert ended.out.startswith(f"Usage: maildropctl {name}")


def test_the_help_lists_every_command(program):
    ended = program("--help")
    assert ended.status == 0
    assert all(f"  {name} " in ended.out for name in COMMANDS)
    assert "..." not in ended.out.partition("Commands:")[2]  # no cut explanation


@pytest.mark.parametrize("option", [LaneName, StateName])
def test_the_help_of_an_option_names_every_choice(option):
    *others, last = option().words()
    assert f"{', '.join(others)} or {last}" == option.CHOICES


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("queue", "--state", "lost"),
        ("queue", "--limit", "0"),
        ("send", "b@x.org"),
        ("send", "-f", "a@x.org"),
        ("send", "-f", "a@x.org", "b@x.org", "--lane", "fast"),
        ("send", "-f", "a@x.org", "b@x.org", "--at", "tomorrow"),
        ("show",),
        ("show", "1", "--raw", "--json"),
        ("retry",),
        ("retry", "1", "--all"),
        ("retry", "1", "--state", "failed"),
        ("retry", "--lane", "bulk"),
        ("hold", "--lane", "bulk", "--all"),
        ("hold", "--lane", "bulk", "1"),
        ("release", "--lane", "bulk", "--state", "held"),
    ],
)
def test_wrong_usage_ends_with_2(arguments, site, inside):
    ended = inside("--config", str(site.path), *arguments)
    assert ended.status == 2
    assert ended.err.startswith("Usage: ")


def test_a_wrong_word_is_answered_with_the_right_ones(site):
    ended = site.ctl("queue", "--state", "lost")
    assert "prepared, queued, deferred, sending, held, failed, sent" in ended.err


def test_a_reader_who_has_seen_enough_is_no_error(site):
    for number in range(3):
        site.send(subject=f"number {number}")
    command = shlex.join([*PROGRAM, "--config", str(site.path), "queue", "--json"])
    ended = subprocess.run(
        ["sh", "-c", f"{command} | true"], capture_output=True, check=False
    )
    assert ended.stderr == b""


def test_a_queue_that_cannot_be_opened_is_a_failure(site):
    (site.home / "queue.db").mkdir()
    for name in ("queue", "stats", "status", "send", "retry"):
        ended = site.ctl(*command_line(name))
        assert ended.status == 1, name
        assert one_line(ended.err), ended.err
        assert "queue.db" in ended.err


LOOKING = ("queue", "stats", "status", "check", "start", "send")


@pytest.mark.parametrize("name", LOOKING)
def test_a_queue_without_its_driver_is_a_failure(site, name):
    site.configure(MAILDROP_QUEUE="postgresql+psycopg://me:hush-hush@127.0.0.1:1/db")
    program = (
        "import sys; sys.modules['psycopg'] = None\n"
        "from collective.maildrophost.engine.cli import main\n"
        "sys.exit(main(sys.argv[1:]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "--config", site.path, *command_line(name)],
        capture_output=True,
        text=True,
        check=False,
        input="",
    )
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "hush" not in ended.stderr + ended.stdout
    said = ended.stdout if name == "check" else ended.stderr
    assert "psycopg" in said
    assert "me:***@127.0.0.1:1/db" in said


def test_a_command_loads_no_database_that_it_does_not_use(site):
    """Each would make every command slower to start."""
    program = (
        "import sys\n"
        "from collective.maildrophost.engine.cli import main\n"
        "assert main(sys.argv[1:]) == 0\n"
        "print(*(name for name in sys.modules if name.endswith('.postgresql')))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program, "--config", site.path, "queue", "--json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout == "[]\n\n"


@pytest.mark.parametrize("name", ["queue", "stats", "status", "hold"])
def test_an_output_that_takes_nothing_is_a_failure_in_one_line(site, name):
    site.send()
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*PROGRAM, "--config", site.path, *command_line(name)],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert one_line(ended.stderr)
    assert "No space left" in ended.stderr
    acted = name == "hold"
    assert ("'show' tell what has become of the mail" in ended.stderr) is acted


@pytest.mark.parametrize("stream", ["1", "2"])
@pytest.mark.parametrize("name", ["queue", "show", "stats", "status", "send"])
def test_a_command_works_without_a_place_to_print_to(site, name, stream):
    id = site.send()
    typed = ["show", id, "--raw"] if name == "show" else command_line(name)
    command = shlex.join([*PROGRAM, "--config", str(site.path), *typed])
    ended = subprocess.run(
        ["sh", "-c", f"{command} {stream}>&-"],
        input=b"Subject: x\n\n",
        capture_output=True,
        check=False,
    )
    assert ended.returncode == (3 if name == "status" else 0)
    assert b"Traceback" not in ended.stderr


def test_more_messages_than_there_can_be_are_no_limit(site):
    ended = site.ctl("queue", "--limit", "99999999999999999999")
    assert ended.status == 2
    assert "not in the range" in ended.err


def test_a_command_that_only_looks_makes_no_queue(site):
    for name in ("queue", "show", "stats", "status", "check"):
        site.ctl(*command_line(name))
    assert not (site.home / "queue.db").exists()


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_every_command_has_examples_that_can_be_typed(name, inside, site):
    assert COMMANDS[name].examples
    shown = [line.strip() for line in inside(name, "--help").out.splitlines()]
    for example in COMMANDS[name].examples:
        assert f"maildropctl {example}" in shown
        command = _maildropctl.get_command(click.Context(_maildropctl), name)
        arguments = example.replace("/srv/plone/var/mailqueue", str(site.home))
        command.make_context(name, shlex.split(arguments)[1:])


def test_each_action_tells_in_json_what_it_did(site):
    ids = [site.send(), site.send()]
    ended = site.ctl("hold", ids[0], "999", "--json")
    assert ended.status == 1
    assert ended.json == {
        "changed": [ids[0]],
        "already": [],
        "refused": {"999": "there is no such message"},
    }
    assert site.ctl("release", "--all", "--json").json["changed"] == [ids[0]]
    assert site.ctl("retry", *ids, "--json").json == {
        "changed": [],
        "already": ids,
        "refused": {},
    }
    held = site.ctl("hold", "--lane", "bulk", "--json").json
    assert held == {"lane": "bulk", "changed": True}
    gone = site.ctl("delete", "--all", "--yes", "--json").json["changed"]
    assert gone == ids


def completed(site, *words: str) -> set[str]:
    """What bash is offered for the last of the words."""
    ended = site.ctl(
        _MAILDROPCTL_COMPLETE="bash_complete",
        COMP_WORDS=" ".join(["maildropctl", *words]),
        COMP_CWORD=str(len(words)),
    )
    return {line.partition(",")[2] for line in ended.out.splitlines()}


def test_the_shell_completes_commands_options_and_words(site):
    assert completed(site, "re") == {"restart", "reload", "retry", "release"}
    assert completed(site, "queue", "--state", "se") == {"sending", "sent"}
    assert completed(site, "hold", "--lane", "") == {"interactive", "normal", "bulk"}
    assert "--json" in completed(site, "stats", "--")
