"""Mail that somebody else gets, before the queue or instead of its recipients."""

from __future__ import annotations

import transaction
from Products.MailHost.MailHost import MailBase


def test_an_addon_that_gets_the_mail_first_is_named(panel, monkeypatch):
    text = "An add-on gets the site's mail before the queue does"
    panel.open("test")
    assert text not in panel.text
    monkeypatch.setattr(MailBase, "_send", lambda *mail: None)
    panel.open("test")
    assert text in panel.text
    assert f"{__name__} has replaced how every MailHost sends" in panel.text


def test_the_management_interface_names_it_too(committing_portal, monkeypatch):
    host, request = committing_portal.MailHost, committing_portal.REQUEST
    assert 'id="patched"' not in host.manage_main(request)
    monkeypatch.setattr(MailBase, "send", lambda *mail: None)
    assert f"<code>{__name__}</code> has" in host.manage_main(request)


def test_the_page_names_who_gets_all_mail_instead_of_its_recipients(
    panel, committing_portal, newsletter, tmp_path
):
    heading = "No mail goes to its recipients"
    panel.open("queue")
    assert heading not in panel.text
    text = f'MAILDROP_HOME="{tmp_path}"\nDEBUG_RECEIVER="tester@example.org"\n'
    (tmp_path / "newsletter.conf").write_text(text)
    committing_portal.MailHost.setConfigPath(newsletter)
    transaction.commit()
    panel.open("queue")
    assert heading in panel.text
    assert "All of it goes to tester@example.org" in panel.text
