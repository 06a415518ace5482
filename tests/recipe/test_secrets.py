"""Where the password of a daemon goes: into its configuration, nowhere else."""

from __future__ import annotations

import stat

import pytest

from collective.maildrophost.engine.config import load
from collective.maildrophost.engine.queueurl import parse_queue_url
from collective.recipe.maildrophost.secrets import forget

CANARY = "c4n4ry-pAssw0rd"
ONE = f"""
[maildrop]
recipe = collective.recipe.maildrophost
login = site
password = {CANARY}
"""
SHARED = f"""
[maildrop]
recipe = collective.recipe.maildrophost
daemons = main newsletter
login = site
password = {CANARY}
"""
IN_A_DAEMON = f"""
[maildrop]
recipe = collective.recipe.maildrophost
daemons = main
[main]
login = site
password = {CANARY}
"""
FROM_ELSEWHERE = f"""
[secrets]
password = {CANARY}
[maildrop]
recipe = collective.recipe.maildrophost
login = site
password = ${{secrets:password}}
"""
IN_THE_QUEUE = f"""
[maildrop]
recipe = collective.recipe.maildrophost
queue = postgresql+psycopg://site:{CANARY}@db.example.org/mail
"""
IN_AN_ODD_QUEUE = IN_THE_QUEUE.replace(CANARY, f"{CANARY}#/?")
IN_A_MACRO = f"""
[defaults]
password = {CANARY}
[maildrop]
<= defaults
recipe = collective.recipe.maildrophost
"""
IN_ITS_MACRO = f"""
[defaults]
password = {CANARY}
[maildrop]
recipe = collective.recipe.maildrophost
daemons = main
login = site
[main]
<= defaults
"""


def with_canary(room) -> list[str]:
    """Every file but the buildout's own that has the password in it."""
    return sorted(
        str(path.relative_to(room.folder))
        for path in room.folder.rglob("*")
        if path.is_file()
        and path.name != "buildout.cfg"
        and CANARY.encode() in path.read_bytes()
    )


@pytest.mark.parametrize(
    "sections",
    [
        *(ONE, SHARED, IN_A_DAEMON, FROM_ELSEWHERE),
        *(IN_THE_QUEUE, IN_AN_ODD_QUEUE, IN_A_MACRO, IN_ITS_MACRO),
    ],
)
def test_a_password_is_in_the_configurations_alone(room, sections):
    output = room.built(sections)
    assert CANARY not in output
    for _again in range(2):
        files = with_canary(room)
        assert files
        for path in files:
            assert path.endswith(".conf")
            assert stat.S_IMODE((room / path).stat().st_mode) == 0o600
        output = room.built(sections)
        assert CANARY not in output


@pytest.mark.parametrize(
    "sections", [ONE, SHARED, IN_A_DAEMON, IN_THE_QUEUE, IN_A_MACRO, IN_ITS_MACRO]
)
def test_a_password_is_not_printed_by_a_chatty_buildout(room, sections):
    room.write(sections)
    run = room.build("-vvv")
    assert run.returncode == 0
    assert CANARY not in run.stdout + run.stderr


def test_a_password_is_there_for_every_part_that_lists_its_daemon(room):
    another = IN_A_DAEMON.split("[main]")[0].replace("[maildrop]", "[another]")
    room.built(IN_A_DAEMON + another, "maildrop another")
    for part in ("maildrop", "another"):
        configuration = load(room / f"parts/{part}/main.conf", {})
        assert configuration.password.reveal() == CANARY


def test_a_changed_password_is_noticed(room):
    room.built(ONE)
    room.built(ONE.replace(CANARY, "another"))
    configuration = load(room / "parts/maildrop/maildrop.conf", {})
    assert configuration.password.reveal() == "another"


@pytest.mark.parametrize(
    "rest",
    [
        *("site:pw@db/mail", "site:p#w@db", "site:p/w@db/mail", "site:p?w@db/mail"),
        *("site:#@db", "site:/@db", "site:?@db", "site:@db", ":pw@db", "site:p:w@"),
        *("site@db/mail?password=pw", "@/mail?SSLPASSWORD=pw", "db?pass%77ord=p#w"),
    ],
)
def test_a_queue_with_a_password_is_forgotten_whatever_is_in_it(rest):
    url = f"postgresql+psycopg://{rest}"
    parse_queue_url(url)  # the daemon takes it
    options = {"queue": url}
    forget(options)
    assert options == {}


def test_a_queue_is_forgotten_with_the_one_before_in_a_comment():
    options = {"queue": "sqlite:////srv/q.db  # postgresql+psycopg://site:pw@db/mail"}
    forget(options)
    assert options == {}


@pytest.mark.parametrize(
    "url",
    [
        "sqlite:////srv/100% news/q.db",
        "postgresql+psycopg://db.example.org/mail",
        "postgresql+psycopg://site@[2001:db8::1]:5432/mail",
    ],
)
def test_a_queue_without_password_stays(url):
    options = {"queue": url}
    forget(options)
    assert options == {"queue": url}


def test_a_queue_without_password_stays_for_other_parts(room):
    room.built(IN_THE_QUEUE.replace(f":{CANARY}", ""))
    assert "queue = postgresql+psycopg://site@db.example.org/mail" in room.text(
        ".installed.cfg"
    )
