"""A Zope that is killed anywhere sends the mail of what it committed, and no other."""

from __future__ import annotations

from pathlib import Path

import pytest
from proof.crash.audit import Audit
from proof.crash.house import House
from proof.crash.killing import AFTER
from proof.crash.points import NO_ZODB, ZOPE, ways

from collective.maildrophost.engine.queue import State

DB = pytest.importorskip("ZODB").DB
FileStorage = pytest.importorskip("ZODB.FileStorage")
pytest.importorskip("Products.MailHost")

PAGES = "proof.crash.pages:"
LAST_MOMENT = "page: before release"
"""ZODB has finished, we have not."""


@pytest.fixture(params=["sqlite", "postgresql"])
def house(request, nursery, relay, tmp_path):
    on_server = request.param == "postgresql"
    url = request.getfixturevalue("postgresql_url") if on_server else None
    house = House(nursery, tmp_path, url)
    house.configure(SMTP_PORT=relay.port, MAILDROP_RETRY_MIN=0.05)
    house.constants["transaction.SPILL_MESSAGES"] = 2
    yield house
    house.queue.close()


@pytest.fixture
def database_file(house):
    """A ZODB that nobody has open."""
    file = house.home / "Data.fs"
    house.do(PAGES + "make", str(file))
    return file


def committed(file: Path) -> list[str]:
    """The mails of transactions that have happened, as their database tells."""
    storage = FileStorage.FileStorage(str(file), read_only=True)
    database = DB(storage)
    try:
        with database.transaction() as connection:
            return list(connection.root.sent)
    finally:
        database.close()


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(ZOPE)]
)
def test_mail_goes_only_with_its_transaction(house, relay, database_file, scene, plan):
    house.die(plan, PAGES + scene, str(database_file))
    promised = committed(database_file)
    house.settle_down()
    audit = Audit(house, relay)
    audit.check(promised)
    assert audit.all_sent <= set(promised)
    if plan.when == AFTER and "release" in plan.doing:
        assert audit.all_sent == set(promised)
    assert {each.state for each in house.messages()} <= {State.SENT, State.PREPARED}


def test_a_zope_that_starts_again_sends_as_ever(house, relay, database_file):
    ((_, scene, plan),) = [way for way in ways(ZOPE) if way[0] == LAST_MOMENT]
    house.die(plan, PAGES + scene, str(database_file))
    house.do(PAGES + "newsletter", str(database_file))
    house.settle_down()
    audit = Audit(house, relay)
    audit.check(committed(database_file))
    assert audit.all_sent >= {f"letter-{number}" for number in range(5)}


@pytest.mark.parametrize(
    ("scene", "plan"), [pytest.param(*way, id=name) for name, *way in ways(NO_ZODB)]
)
def test_mail_of_no_database_goes_when_the_queue_has_it(
    house, relay, database_file, scene, plan
):
    if house.queue.shared and scene == "mail_alone":
        pytest.skip("on a server it has a vote and a finish, as any other")
    house.die(plan, PAGES + scene, str(database_file))
    subject = scene.removeprefix("mail_").replace("_", "-")
    house.settle_down()
    audit = Audit(house, relay)
    audit.check([subject] if plan.when == AFTER else [])
    assert audit.all_sent <= {subject if plan.when == AFTER else ""}
    if not house.queue.shared:
        assert audit.sent(subject) == (plan.when == AFTER)
