"""The catcher keeps what a plain SMTP client sends."""

from __future__ import annotations

import smtplib
import ssl

import pytest
from servers.catcher import Catcher

MESSAGE = b"Subject: hello\r\n\r\n.a dot\r\n"


def test_it_keeps_envelope_and_content():
    with Catcher() as catcher:
        with smtplib.SMTP("127.0.0.1", catcher.port) as client:
            client.sendmail("a@example.org", ["b@example.org", "c@x.org"], MESSAGE)
        [caught] = catcher.wait_for(1)
    assert (caught.sender, caught.recipients) == (
        "a@example.org",
        ("b@example.org", "c@x.org"),
    )
    assert caught.content == MESSAGE
    assert (caught.login, caught.tls) == ("", False)


@pytest.mark.parametrize("tls", ["starttls", "required", "implicit"])
def test_it_speaks_tls_and_checks_the_login(tls):
    with Catcher(tls=tls, login=("me", "pa:ss")) as catcher:
        trust = ssl.create_default_context(cafile=catcher.ca_file)
        if tls == "implicit":
            client = smtplib.SMTP_SSL("localhost", catcher.port, context=trust)
        else:
            client = smtplib.SMTP("localhost", catcher.port)
            client.starttls(context=trust)
        with client:
            with pytest.raises(smtplib.SMTPAuthenticationError):
                client.login("me", "wrong")
            client.login("me", "pa:ss")
            client.sendmail("a@example.org", ["b@example.org"], MESSAGE)
        [caught] = catcher.wait_for(1)
    assert (caught.login, caught.tls) == ("me", True)
