"""@maildrop: whether mail is moving."""

from __future__ import annotations

import pytest
import transaction
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost

from collective.maildrophost.engine.queue import RelayPause, clear, pause
from collective.maildrophost.installation.swap import put_maildrop_host_back

FAULT = "535 5.7.8 authentication failed"


@pytest.fixture
def paused(hands):
    """The relay refused the login a minute ago."""
    name = "relay.example.org:25"
    with hands.queue.write() as tx:
        pause(tx, RelayPause(name, FAULT, hands.now - 60, hands.now + 60, 3))
    yield
    with hands.queue.write() as tx:
        clear(tx, name)


def test_the_status_tells_that_mail_is_moving(rest, hands):
    hands.daemon()
    hands.send()

    answer = rest.get("@maildrop")

    assert answer.status_code == 200
    status = answer.json()
    assert status["configuration"] == "DEFAULT"
    assert status["health"]["moving"] is True
    assert status["health"]["relay"] == "relay.example.org:25"
    assert status["stats"]["states"]["queued"] == status["health"]["waiting"] == 1
    assert status["stats"]["daemons"][0]["pid"] == 4711
    assert rest.get(status["@id"]).status_code == 200
    assert rest.get(status["messages"]["@id"]).json()["items_total"] == 1


def test_the_status_tells_why_mail_is_not_moving(rest, hands, paused):
    hands.daemon()

    health = rest.get("@maildrop").json()["health"]

    assert (health["moving"], health["reason"]) == (False, "relay")
    assert health["fault"] == FAULT


def test_without_a_daemon_mail_waits(rest, hands):
    hands.send()

    health = rest.get("@maildrop").json()["health"]

    assert (health["moving"], health["reason"]) == (False, "no-daemon")


@pytest.mark.parametrize(("relay", "fault"), [("localhost:25", FAULT), ("old:25", "")])
def test_without_a_daemon_only_the_fault_of_the_configured_relay_is_told(
    rest, hands, relay, fault
):
    """As `maildropctl stats` tells it."""
    with hands.queue.write() as tx:
        pause(tx, RelayPause(relay, FAULT, hands.now - 60, hands.now + 60, 3))

    told = rest.get("@maildrop").json()["stats"]["relay"]

    with hands.queue.write() as tx:
        clear(tx, relay)
    assert told["fault"] == fault if fault else told == "ok"


@pytest.fixture
def configured(site, list_configurations, tmp_path):
    """Lets the site use a configuration of this text."""

    def use(text):
        path = tmp_path / "other.conf"
        path.write_text(f'MAILDROP_HOME="{tmp_path}/home"\n')
        list_configurations(other=path)
        site.MailHost.setConfigPath("other")
        transaction.commit()
        path.write_text(text.format(home=tmp_path / "home"))

    return use


EVERY_REQUEST = [
    ("GET", "@maildrop", None),
    ("GET", "@maildrop/messages", None),
    ("GET", "@maildrop/messages/1", None),
    ("PATCH", "@maildrop/messages/1", {"action": "retry"}),
    ("DELETE", "@maildrop/messages/1", None),
]


@pytest.mark.parametrize(("method", "path", "body"), EVERY_REQUEST)
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('MAILDROP_HOME="{home}"\nSMTP_PORT=many\n', "other.conf:2: SMTP_PORT"),
        (
            'MAILDROP_HOME="{home}"\nMAILDROP_QUEUE="sqlite:////dev/null/queue.db"\n',
            "/dev/null",
        ),
        (
            'MAILDROP_HOME="{home}"\nMAILDROP_QUEUE="mysql://me:secret@db/x"\n',
            "MAILDROP_QUEUE",
        ),
    ],
)
def test_the_answer_says_why_the_queue_cannot_be_used(
    rest, configured, method, path, body, text, said
):
    configured(text)

    answer = rest.request(method, path, json=body)

    assert answer.status_code == 503
    assert answer.json()["type"] == "ServiceUnavailable"
    assert said in answer.json()["message"]
    assert "traceback" not in answer.json()
    assert "secret" not in answer.text


@pytest.mark.parametrize(("method", "path", "body"), EVERY_REQUEST)
def test_the_answer_says_that_the_queue_broke_while_it_was_used(
    rest, configured, tmp_path, method, path, body
):
    configured('MAILDROP_HOME="{home}"\n')
    assert rest.get("@maildrop").status_code == 200
    for each in (tmp_path / "home").glob("queue.db*"):
        each.write_bytes(b"this is no database" * 100)

    answer = rest.request(method, path, json=body)

    assert answer.status_code == 503
    assert "queue.db" in answer.json()["message"]
    assert "traceback" not in answer.json()


@pytest.mark.parametrize(("method", "path", "body"), EVERY_REQUEST)
def test_another_mailhost_has_no_queue(rest, site, replaced, method, path, body):
    answer = rest.request(method, path, json=body)

    assert answer.status_code == 409
    assert "not a Maildrop Host" in answer.json()["message"]
    assert "traceback" not in answer.json()


def test_every_thread_finds_the_maildrop_host_that_is_back(rest, site):
    site._delObject("MailHost")
    site._setObject("MailHost", MailHost("MailHost"))
    transaction.commit()
    # By its path: what a thread finds there it keeps.
    site.getSiteManager().registerUtility(site.MailHost, IMailHost)
    transaction.commit()
    assert rest.get("@maildrop").status_code == 409

    put_maildrop_host_back(site)
    transaction.commit()

    assert rest.get("@maildrop").status_code == 200


@pytest.mark.parametrize("path", ["@maildrop/nonsense", "@maildrop/messages/1/raw"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_an_unknown_path_is_answered_with_the_known_ones(rest, method, path):
    answer = rest.request(method, path)

    assert answer.status_code == 404
    assert "@maildrop/messages/ID" in answer.json()["message"]


def test_a_site_without_the_addon_has_no_such_service(rest, uninstalled):
    assert rest.get("@maildrop").status_code == 404
