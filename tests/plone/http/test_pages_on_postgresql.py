"""The control panel shows a queue on PostgreSQL as it does one in a file."""

from __future__ import annotations

import pytest

from collective.maildrophost.engine.verdict import Outcome

PANEL = "@@maildrophost-controlpanel"

pytestmark = pytest.mark.usefixtures("on_postgresql")


@pytest.fixture
def page(rest):
    """Gets a page of the control panel as a browser does; its text."""

    def get(path):
        answer = rest.get(path, headers={"Accept": "text/html"})
        assert answer.status_code == 200, answer.text
        return answer.text

    return get


def test_every_page_shows_its_mail(page, hands):
    (refused,) = hands.send(hands.mail("gone@example.net", subject="refused"))
    hands.attempt(Outcome.FAILED)
    hands.in_state("prepared", subject="in doubt")
    (waiting,) = hands.send(hands.mail(subject="waiting"))
    hands.daemon()
    overview = page(PANEL)
    assert "1 waiting" in overview
    assert "/plone on web1" in overview
    queue = page(f"{PANEL}-queue?state=failed&text=gone")
    assert "refused" in queue
    assert "waiting</" not in queue
    message = page(f"{PANEL}-message?id={refused}")
    assert "550 5.1.1 no such user" in message
    assert "waiting" in page(f"{PANEL}-queue?sort=created&text={waiting}")


def test_the_password_of_the_server_is_on_no_page(page, acceptance_test):
    path = acceptance_test["maildrop_configuration"]
    text = path.read_text()
    # A server on a socket asks for none, and so never looks at it.
    path.write_text(text.replace("maildrop@/", "maildrop:sesame7@/"))
    try:
        pages = [page(f"{PANEL}{name}") for name in ("", "-settings", "-queue")]
    finally:
        path.write_text(text)
    assert "postgresql" in "".join(pages)
    assert "sesame7" not in "".join(pages)
