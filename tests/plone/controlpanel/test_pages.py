"""What the pages of the control panel show, and to whom."""

from __future__ import annotations

import re

import pytest
import transaction

from collective.maildrophost.engine.queue import State
from collective.maildrophost.installation.swap import swap_of
from collective.maildrophost.permissions import VIEW_MAIL_TEXT

VIEWS = [
    "",
    "queue",
    "message",
    "test",
    "test-progress",
    "settings",
    "health",
    "figures",
]


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("roles", [("Member",), ("Editor", "Reviewer")])
def test_members_and_editors_see_nothing(somebody, put, mail, view, roles):
    (id,) = put(mail("a secret letter"))
    member = somebody(*roles)
    member.browser.raiseHttpErrors = False

    member.open(view, id=id)

    assert "login" in member.browser.url or "Insufficient" in member.text
    assert "a secret letter" not in member.browser.contents


@pytest.mark.parametrize("view", VIEWS)
def test_a_site_administrator_sees_every_page(somebody, put, mail, view):
    (id,) = put(mail())
    assert somebody("Site Administrator").open(view, id=id)


def test_the_pages_have_nothing_that_a_strict_csp_refuses(panel, put, mail):
    (id,) = put(mail())
    for view in VIEWS:
        content = ours_of(panel.open(view, id=id))
        assert "maildrop" in content, view
        for script in re.findall("<script[^>]*>", content):
            theirs = 'id="protect-script"' in script  # plone.protect adds it
            assert 'src="http://' in script, (view, script)
            assert theirs or 'defer="defer"' in script, (view, script)
        for forbidden in (
            "<style",
            " style=",
            " onclick=",
            " onsubmit=",
            "javascript:",
        ):
            assert forbidden not in content, (view, forbidden)


def ours_of(page):
    """What the add-on has written of a page; a fragment is ours altogether."""
    _, heading, below = page.partition("<h1")
    return below.partition("<footer")[0] if heading else page


def test_script_and_style_sheet_are_served(panel):
    for name in ("maildrophost.js", "maildrophost.css"):
        address = f"{panel.base}/++resource++collective.maildrophost/{name}"
        panel.browser.open(address)
        assert "maildrop" in str(panel.browser.contents)


def test_the_overview_says_what_is_wrong_and_counts(panel, put, mail):
    put(mail(), mail())
    panel.open()
    assert "Mail is not moving: no daemon works on the queue; 2 waiting" in panel.text
    assert "mail goes on when a daemon is started on the server" in panel.text
    assert "2 Queued" in panel.text
    assert panel.browser.contents.count("maildrop-quiet") == len(State) - 1
    assert 'role="img" aria-labelledby="maildrop-chart-title' in panel.browser.contents
    assert panel.browser.contents.count('<th scope="row">') >= 24


def test_an_hour_is_called_the_same_in_the_chart_and_in_its_table(panel):
    panel.open()
    page = panel.browser.contents
    in_table = re.findall(r'<th scope="row">([^<]*)</th>', page)
    on_bars = re.findall(r"<title>([^<]*): \d+ sent</title>", page)
    assert len(on_bars) == 24
    assert in_table == on_bars[::-1]


def test_the_overview_tells_of_mail_in_the_queue_of_the_old_mailhost(
    panel, committing_portal, tmp_path
):
    assert "old MailHost" not in panel.open()
    original = swap_of(committing_portal).original
    original.smtp_queue, original.smtp_queue_directory = True, str(tmp_path)
    transaction.commit()
    waiting = tmp_path / "new" / "1"
    waiting.parent.mkdir()
    waiting.touch()

    panel.open()
    assert "until the first restart after the installation" in panel.text
    assert "Mails that wait: 1 ." in panel.text
    assert f"maildropctl import {tmp_path}" in panel.text

    waiting.unlink()
    assert "old MailHost" not in panel.open()


def test_a_queue_that_cannot_be_read_is_not_said_to_be_empty(panel, queue):
    panel.open("queue")
    assert "Nothing is waiting here" in panel.text
    moved = queue.path.rename(queue.path.with_suffix(".away"))
    panel.open("queue")
    moved.rename(queue.path)
    assert "removed" in panel.text
    assert "Nothing is waiting here" not in panel.text


def test_a_queue_that_cannot_be_read_has_no_figures(panel, queue):
    moved = queue.path.rename(queue.path.with_suffix(".away"))
    try:
        panel.open()
        assert "Nobody can tell whether mail is moving" in panel.text
        for untold in ("No daemon works", "0 Queued", "The last 24 hours", "Lanes"):
            assert untold not in panel.text
        panel.open("queue", text="anna")
        assert "No message matches" not in panel.text
    finally:
        moved.rename(queue.path)


def test_the_queue_is_searched_narrowed_and_sorted(panel, put, mail):
    put(mail("apples", "anna@example.net"), mail("pears", "bert@example.com"))
    panel.open("queue", text="anna")
    assert "apples" in panel.text
    assert "pears" not in panel.text
    panel.open("queue", state="held")
    assert "No message matches" in panel.text
    page = panel.open("queue", sort="subject", order="down")
    assert page.index("pears") < page.index("apples")
    assert 'aria-sort="descending"' in page


def test_pages_of_the_queue_lead_to_each_other(panel, put, mail):
    put(*[mail(f"letter {n}.") for n in range(120)])
    panel.open("queue", text="letter")
    assert "Messages 1 to 50 of 120" in panel.text
    panel.browser.getLink("Next").click()
    assert "Messages 51 to 100 of 120" in panel.text
    panel.browser.getLink("Last").click()
    assert "Messages 101 to 120 of 120" in panel.text
    panel.open("queue", page="99")
    assert "Messages 101 to 120 of 120" in panel.text


@pytest.mark.parametrize(
    "query",
    [
        {"page": "-1"},
        {"page": "9" * 30},
        {"state": "nonsense"},
        {"sort": "'; DROP TABLE", "order": "up"},
        {"lane": "x", "text": "%"},
    ],
)
def test_a_query_that_makes_no_sense_shows_the_default(panel, put, mail, query):
    put(mail("100 % sure"))
    assert "100 % sure" in panel.open("queue", **query)


@pytest.mark.parametrize("page", ["queue?text", "test?message", "test?recipient"])
def test_a_query_with_octets_that_are_not_text_is_answered(panel, put, mail, page):
    put(mail("hello"))
    panel.browser.open(f"{panel.base}/@@maildrophost-controlpanel-{page}=%FF")
    assert "hello</a>" not in panel.browser.contents


def test_a_message_is_shown_as_plain_text_whatever_is_in_it(panel, put, mail):
    evil = '<script>alert("x")</script><img src=x onerror=alert(1)>'
    (id,) = put(mail(evil, text=f"{evil}\n", headers=f"X-Evil: {evil}\n"))
    for view in ("message", "queue"):
        page = panel.open(view, id=id)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert "&lt;script&gt;alert" in page


SECRET = "passwordreset-6d1f"
HIDDEN = "Its headers and its text are only for those with the permission"


@pytest.fixture
def secret_mail(put, mail):
    """The id of a message with a secret in its headers, its text and a file's name."""
    text = f"""--b
Content-Type: text/plain

https://example.org/{SECRET}

--b
Content-Type: text/plain; name="{SECRET}.txt"
Content-Disposition: attachment

{SECRET}
--b--
"""
    headers = f'X-Link: {SECRET}\nContent-Type: multipart/mixed; boundary="b"\n'
    (id,) = put(mail("your password", text=text, headers=headers))
    return id


def test_the_text_of_a_mail_is_for_managers(somebody, panel, secret_mail):
    assert panel.open("message", id=secret_mail).count(SECRET) == 3
    assert HIDDEN not in panel.text

    administrator = somebody("Site Administrator")
    page = administrator.open("message", id=secret_mail)

    assert SECRET not in page
    assert "maildrop-headers" not in page
    assert HIDDEN in administrator.text
    assert "content was deleted" not in administrator.text
    for shown in ("your password", "to@example.org", "from@example.org", "Queued"):
        assert shown in administrator.text


def test_whoever_is_given_the_permission_in_the_site_reads_the_text(
    somebody, committing_portal, secret_mail
):
    roles = ["Manager", "Site Administrator"]
    committing_portal.manage_permission(VIEW_MAIL_TEXT, roles, acquire=0)

    administrator = somebody("Site Administrator")

    assert SECRET in administrator.open("message", id=secret_mail)
    assert HIDDEN not in administrator.text


def test_a_mail_in_arabic_reads_from_right_to_left(panel, put, mail):
    hello = "\u0645\u0631\u062d\u0628\u0627!"
    (id,) = put(mail(subject=hello, text=f"{hello}\n"))
    subject = f'<span dir="auto">{hello}</span>'
    assert subject in panel.open("queue")
    page = panel.open("message", id=id)
    assert subject in page
    assert re.search(f'<pre [^>]*dir="auto"[^>]*>{hello}', page)


def test_a_message_that_is_gone_is_not_found(panel):
    panel.browser.raiseHttpErrors = False
    panel.browser.handleErrors = True
    panel.open("message", id="4711", text="anna")
    assert panel.browser.headers["Status"].startswith("404")
    assert "It was deleted, or its record has been kept long enough." in panel.text
    assert panel.browser.getLink("Back to the queue").url.endswith("?text=anna")


def test_every_page_says_that_the_configuration_cannot_be_read(panel, configure):
    configure("SMTP_PORT=many\n")
    for view in ("", "queue", "test", "settings"):
        panel.open(view)
        assert "Nobody can tell whether mail is moving" in panel.text
        assert "SMTP_PORT" in panel.text
        assert "On the server, maildropctl check says what to do." in panel.text
