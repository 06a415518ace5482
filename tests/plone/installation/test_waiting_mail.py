"""Uninstalling the add-on while its queue has mail."""

from __future__ import annotations

import transaction


def test_the_log_tells_of_mail_that_a_daemon_has_to_send_yet(
    committing_portal, uninstall, functional_test, caplog
):
    mail = "Subject: hello\n\n", "you@example.net", "me@example.net"
    committing_portal.MailHost.send(*mail)
    transaction.commit()

    for told in (True, False):  # the second time nothing is installed
        caplog.clear()
        uninstall(committing_portal)
        where = f"wait in the queue of {functional_test['maildrop_configuration']}"
        assert (
            f"1 mails of this site, or of others with its configuration, {where}"
            in caplog.text
        ) is told
