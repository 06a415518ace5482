"""From a search to a message, and on from there."""

from __future__ import annotations

from collective.maildrophost.engine.verdict import Outcome, Verdict


def test_a_message_leads_back_to_the_search_that_found_it(panel, put, mail):
    put(mail("pears", "bert@example.com"))
    put(*[mail(f"letter {n}.", "anna@example.org") for n in range(60)])
    found = {"text": "anna", "sort": "subject", "page": "2"}
    panel.open("queue", **found)
    panel.browser.getLink("letter 9.").click()
    message = panel.browser.url
    panel.browser.getControl("Hold").click()
    assert "Held: 1" in panel.text
    assert panel.browser.url == message
    panel.browser.getLink("Back to the queue").click()
    assert "Messages 51 to 60 of 60" in panel.text
    assert panel.browser.url.endswith("?text=anna&sort=subject&page=2")


def test_a_search_that_finds_nothing_offers_to_look_among_sent_mail(panel, tried):
    tried(Verdict(Outcome.SENT, "250 2.0.0 Ok: queued"))
    panel.open("queue", text="number0")
    assert "No message matches" in panel.text
    panel.browser.getLink("Show sent mail, too").click()
    assert "number0@example.org" in panel.text

    panel.open("queue", text="nowhere", state="any")
    assert "No message matches" in panel.text
    assert "Show sent mail" not in panel.text


def test_where_nothing_matches_it_is_said_that_nothing_was_done(panel):
    panel.post("maildrophost-act", action="hold", scope="all", text="nowhere")
    assert "Held: 0" in panel.text


def test_a_long_subject_is_looked_for_as_a_whole(panel, put, mail):
    """Those that begin like it would be deleted with it: "all that match"."""
    put(mail("p" * 300 + "ears", "anna@example.org"))
    put(mail("p" * 300 + "lums", "bert@example.org"))
    panel.open("queue", text="p" * 300 + "lums")
    assert "bert@example.org" in panel.text
    assert "anna@example.org" not in panel.text
