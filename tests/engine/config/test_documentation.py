"""The promise that the reference and the examples are as the options are."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from collective.maildrophost.engine.config import OPTIONS
from collective.maildrophost.engine.delivery import Route

EMPTY = '""'
DOCS = Path(__file__).parents[3] / "docs"
REFERENCE = DOCS / "configuration.md"
RELAYS = DOCS / "relays.md"
BY_NAME = {option.name: option for option in OPTIONS}
NAMED_IN_RELAYS = set(
    re.findall(
        r"\b(?:MAILDROP|SMTP)_[A-Z_]*[A-Z]\b", RELAYS.read_text(encoding="utf-8")
    )
) - {"SMTP_USER_NAME"}


def test_the_reference_has_every_option_with_its_default_and_meaning():
    table = REFERENCE.read_text(encoding="utf-8").partition("## Every option")[2]
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    assert rows == [row(option) for option in OPTIONS]


def test_the_example_of_the_reference_loads_without_a_warning(load_text):
    text = REFERENCE.read_text(encoding="utf-8").partition("## How")[0]
    lines = [line[4:] for line in text.splitlines() if line.startswith("    ")]
    configuration = load_text("\n".join(lines), home="")
    assert configuration.warnings == ()
    assert configuration.password.reveal() == "pa$$word"


# Every example of docs/relays.md is a configuration that works as it stands.


def examples() -> list[str]:
    found = re.findall(
        r"```sh\n(.*?)```", RELAYS.read_text(encoding="utf-8"), re.DOTALL
    )
    assert len(found) >= 7
    return found


@pytest.mark.parametrize("number", range(len(examples())))
def test_an_example_for_a_relay_loads_with_a_login_that_can_work(
    load_text, tmp_path, number
):
    text = examples()[number].replace("/srv/mail", str(tmp_path))
    for path in re.findall(rf'"({tmp_path}/[^"]+)"', text):
        Path(path).write_text("secret")
    configuration = load_text(text)
    assert configuration.warnings == ()
    route = Route.of(configuration)
    assert (route.login is None) == ("MAILDROP_LOGIN" not in text)
    assert (route.tokens is None) == ("xoauth2" not in text)
    assert all(name in BY_NAME for name in re.findall(r"(?m)^(\w+)=", text))


@pytest.mark.parametrize("name", sorted(NAMED_IN_RELAYS))
def test_an_option_named_in_relays_exists(name):
    assert name in BY_NAME


@pytest.mark.parametrize(
    ("host", "connections", "messages_a_day"),
    [
        ("smtp.office365.com", 3, 30 * 60 * 24),
        ("smtp.gmail.com", 1000, 2_000),
        ("smtp-relay.gmail.com", 1000, 10_000),
        ("email-smtp.eu-central-1.amazonaws.com", 1000, 14 * 86400),
    ],
)
def test_an_example_keeps_the_limits_that_its_table_states(
    host, connections, messages_a_day
):
    of_host = [each for each in examples() if f'"{host}:' in each]
    assert of_host
    for text in of_host:
        rate = int(re.search(r"MAILDROP_RATE=(\d+)", text)[1])
        assert 0 < rate * 60 * 24 <= messages_a_day
        assert int(re.search(r"MAILDROP_CONCURRENCY=(\d+)", text)[1]) <= connections


def row(option) -> str:
    default = "required" if option.default is None else f"`{option.default or EMPTY}`"
    return f"| `{option.name}` | {default} | {option.kind.value} | {option.doc} |"
