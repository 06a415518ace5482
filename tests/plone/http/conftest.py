"""A Plone site that answers HTTP, with mail in its queue in every state."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest
import requests
import transaction
from daemons import daemon_seen
from plone import api
from plone.app.testing import (
    SITE_OWNER_NAME,
    SITE_OWNER_PASSWORD,
    TEST_USER_ID,
    applyProfile,
    setRoles,
)
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost

from collective.maildrophost import productconfig
from collective.maildrophost.engine.message import compose
from collective.maildrophost.engine.queue import (
    Settlement,
    State,
    claim,
    delete_messages,
    due,
    enqueue,
    get_message,
    held_lanes,
    hold_messages,
    list_messages,
    new_batch,
    prepare,
    register,
    retire,
    settle,
)
from collective.maildrophost.engine.verdict import Outcome, Verdict
from collective.maildrophost.queues import queue_at

PASSWORD = "a long secret"
RELAY = "relay.example.org:25"


class Rest(requests.Session):
    """A client of one site's services; paths are relative to the site."""

    def __init__(self, site_url, user=None, password=PASSWORD):
        super().__init__()
        self.site_url = site_url
        self.headers["Accept"] = "application/json"
        self.trust_env = False
        self.auth = (user, password) if user else None

    def request(self, method, path, *args, **kwargs):
        kwargs.setdefault("timeout", 60)
        url = path if path.startswith("http") else f"{self.site_url}/{path}"
        return super().request(method, url, *args, **kwargs)


@pytest.fixture
def site(acceptance_test):
    """The site, in a storage of its own: the server sees what is committed."""
    site = acceptance_test["portal"]
    setRoles(site, TEST_USER_ID, ["Manager"])
    transaction.commit()
    return site


@pytest.fixture(params=["tool", "utility", "both"])
def replaced(request, site):
    """The site's MailHost is another add-on's, or half of it."""
    if request.param in ("tool", "both"):
        site._delObject("MailHost")
        site._setObject("MailHost", MailHost("MailHost"))
    if request.param in ("utility", "both"):
        site.getSiteManager().registerUtility(MailHost("MailHost"), IMailHost)
    transaction.commit()


@pytest.fixture
def uninstalled(site):
    """The site does not have the add-on any more."""
    applyProfile(site, "collective.maildrophost:uninstall")
    transaction.commit()


@pytest.fixture
def client(site):
    """Makes clients: one without a name is not logged in."""
    made = []

    def make(user=None, password=PASSWORD):
        made.append(Rest(site.absolute_url(), user, password))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def rest(client):
    """The client of the site's owner."""
    return client(SITE_OWNER_NAME, SITE_OWNER_PASSWORD)


@pytest.fixture
def person(site, client):
    """Makes clients of people with these roles in the site."""

    def make(*roles):
        name = "".join(roles).replace(" ", "").lower()
        api.user.create(
            email=f"{name}@example.net", username=name, password=PASSWORD, roles=roles
        )
        transaction.commit()
        return client(name)

    return make


@dataclass
class Hands:
    """What senders and a daemon do with a queue, in short."""

    queue: object
    now: float

    def mail(
        self,
        *recipients,
        subject="hello",
        lane=None,
        sender="me@example.org",
        text="Hi",
    ):
        return compose(
            f"Subject: {subject}\nMessage-Id: <1@example.org>\n\n{text}\n",
            sender,
            recipients or ("you@example.net",),
            lane=lane,
            now=self.now,
        )

    def send(self, *messages):
        with self.queue.write() as tx:
            return enqueue(tx, messages or (self.mail(),), self.now)

    def attempt(self, *outcomes):
        """Try everything that is due; one outcome for each of the recipients."""
        replies = {
            Outcome.SENT: "250 2.0.0 Ok: queued",
            Outcome.DEFERRED: "450 4.2.0 greylisted, try again",
            Outcome.FAILED: "550 5.1.1 no such user",
        }
        with self.queue.write() as tx:
            for each in self.claim(tx):
                verdicts = tuple(
                    (recipient.position, Verdict(outcome, replies[outcome]))
                    for recipient, outcome in zip(
                        each.recipients, outcomes, strict=True
                    )
                )
                settlement = Settlement(
                    each.id,
                    each.created,
                    each.attempts,
                    "one",
                    self.now,
                    RELAY,
                    verdicts,
                    self.now + 60,
                    False,
                )
                settle(tx, [settlement], self.now)

    def claim(self, tx):
        ids = [key for lane in due(tx, 1000, self.now).lanes.values() for key in lane]
        return claim(tx, "one", ids, self.now)

    def in_state(self, state, subject="hello"):
        """A message in that state, by the way that leads there; its id."""
        mail = self.mail(subject=subject)
        if state == "prepared":
            with self.queue.write() as tx:
                prepare(tx, new_batch(), [mail], self.now, "/plone on web1")
            return self.ids()[-1]
        (id,) = self.send(mail)
        if state in ("deferred", "failed", "sent"):
            self.attempt(Outcome(state))
        elif state == "held":
            with self.queue.write() as tx:
                hold_messages(tx, [id])
        elif state == "sending":
            with self.queue.write() as tx:
                self.claim(tx)
        assert self.state(id) == state
        return id

    def ids(self):
        with self.queue.read() as tx:
            return sorted((each.id for each in list_messages(tx)), key=int)

    def batch(self, id):
        with self.queue.read() as tx:
            return get_message(tx, id).batch

    def state(self, id):
        with self.queue.read() as tx:
            message = get_message(tx, id)
        return message and message.state.value

    def held_lanes(self):
        with self.queue.read() as tx:
            return held_lanes(tx)

    def daemon(self):
        with self.queue.write() as tx:
            retire(tx, "one")
            own = {"host": "mail1", "pid": 4711, "relay": RELAY}
            register(tx, daemon_seen(self.now, **own, started=self.now - 3600))


@pytest.fixture
def on_postgresql(acceptance_test, postgresql_url):
    """The site's configuration names a queue on PostgreSQL."""
    path = acceptance_test["maildrop_configuration"]
    before = path.read_text()
    path.write_text(f'{before}MAILDROP_QUEUE="{postgresql_url}"\n')
    queue = queue_at(productconfig.configuration("DEFAULT").queue)
    acceptance_test["maildrop_queue"] = queue
    yield
    del acceptance_test["maildrop_queue"]
    path.write_text(before)
    productconfig.configuration("DEFAULT")
    queue.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def either_database(request):
    """The test runs with the queue in a file, and with it on a server."""
    if request.param == "postgresql":
        request.getfixturevalue("on_postgresql")


@pytest.fixture
def hands(acceptance_test):
    """The site's queue, in the hands of senders and of a daemon."""
    hands = Hands(acceptance_test["maildrop_queue"], time.time())
    yield hands
    with hands.queue.write() as tx:
        retire(tx, "one")
        delete_messages(tx, [each.id for each in list_messages(tx, State.SENT)])
