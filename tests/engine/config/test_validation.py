"""Configurations that are judged before anybody writes them."""

from __future__ import annotations

import io
import json
import sys

import pytest

from collective.maildrophost.engine.config import validation

HOME = "MAILDROP_HOME=/srv/mail\n"
PASSWORD = "c4n4ry-pAssw0rd"


def judged(monkeypatch, capsys, *texts: str) -> str:
    """What the program answers."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(texts)))
    validation.main()
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "option"),
    [
        ("MAILDROP_METRICS=banana", "MAILDROP_METRICS"),
        ("MAILDROP_RETRY_MIN=9000", "MAILDROP_RETRY_MIN"),
        ("MAILDROP_AUTH=xoauth2", "MAILDROP_AUTH"),
        ("MAILDROP_LOGIN='me", "MAILDROP_LOGIN"),
        (f"MAILDROP_PASSWORD={PASSWORD}\nMAILDROP_PASSWORD_FILE=/pw", None),
    ],
)
def test_the_fault_is_the_one_that_a_daemon_would_end_with(load_text, line, option):
    found = validation.fault(f"{HOME}{line}\n")
    with pytest.raises(validation.ConfigurationError) as error:
        load_text(line)
    assert (found.option, found.expected) == (error.value.option, error.value.expected)
    assert found.option == (option or "MAILDROP_PASSWORD_FILE")


def test_files_may_come_later_and_the_environment_does_not_count(monkeypatch):
    monkeypatch.setenv("MAILDROP_METRICS", "banana")
    files = "MAILDROP_PASSWORD_FILE=/nowhere/pw\nMAILDROP_TLS_CA_FILE=/nowhere/ca\n"
    assert validation.fault(f"{HOME}{files}MAILDROP_LOGIN=me\n") is None


def test_the_program_answers_for_each_text(monkeypatch, capsys):
    answer = judged(monkeypatch, capsys, HOME, "", f"{HOME}SMTP_PORT=smtp")
    fine, empty, wrong = json.loads(answer)
    assert fine is None
    assert empty["option"] == "MAILDROP_HOME"
    assert wrong["expected"].startswith("expected a whole number from 1 to 65535")


@pytest.mark.parametrize(
    "line",
    [
        f"MAILDROP_PASSWORD='{PASSWORD}' '",
        f"MAILDROP_QUEUE=postgresql+psycopg://me:{PASSWORD}@me@db/mail",
        f"MAILDROP_PASSWORD={PASSWORD}\nMAILDROP_PASSWORD_FILE=/pw",
    ],
)
def test_the_program_repeats_no_password(monkeypatch, capsys, line):
    answer = judged(monkeypatch, capsys, f"{HOME}{line}\n")
    assert "expected" in answer
    assert PASSWORD not in answer
