"""What the email package stumbles over is refused like all that it can't make out."""

from __future__ import annotations

from email.header import Header
from email.message import EmailMessage
from email.mime.text import MIMEText

import pytest
import transaction
from Products.MailHost.MailHost import MailHostError


@pytest.mark.parametrize(
    "address",
    [
        ".=?@",
        "\t.=C3@,",
        '?=\tiso-8859-1.? :"',
        "?ü:;=\\=?",
        "\t*@[<iso-8859-1'ü>",
        " :?b?=?",
    ],
)
@pytest.mark.parametrize("argument", ["mto", "mfrom"])
def test_mail_whose_addresses_it_stumbles_over_is_refused(
    host, mails, argument, address
):
    """It raises IndexError, TypeError or AttributeError."""
    addresses = {"mto": "to@example.org", "mfrom": "from@example.org"}
    with pytest.raises(MailHostError):
        host.send(EmailMessage(), **{**addresses, argument: address})
    transaction.commit()
    assert mails() == []


def test_so_is_a_message_that_mailhost_stumbles_over(host, mails):
    mail = MIMEText("hi")
    mail["To"] = Header("to@example.org")
    with pytest.raises(MailHostError, match="cannot be written"):
        host.send(mail, mfrom="from@example.org")
    transaction.commit()
    assert mails() == []
