"""What is wrong with a configuration, in the reader's language."""

from __future__ import annotations

from html import unescape

import pytest
import transaction

from collective.maildrophost.engine.config import ConfigurationError, load
from collective.maildrophost.engine.message import (
    InvalidMessage,
    parse_addresses,
    parse_sender,
)
from collective.maildrophost.productconfig import UnknownConfiguration

WRONG = [
    "MAILDROP_TLS=9",
    "MAILDROP_TLS=None_of_it",
    "MAILDROP_BATCH=-1",
    "MAILDROP_INTERVAL=0",
    "MAILDROP_RETRY_MIN=0",
    "WAIT_INTERVAL=x",
    "MAILDROP_BOUNCE=perhaps",
    "MAILDROP_LOGIN=True",
    "MAILDROP_VAR=var",
    "MAILDROP_SPOOL=;",
    "MAILDROP_TLS_CA_FILE=ca.pem",
    "MAILDROP_TLS_CA_FILE=/nowhere/ca.pem",
    "MAILDROP_PASSWORD_FILE=/nowhere/password",
    "MAILDROP_PASSWORD_FILE=/",
    "MAILDROP_PASSWORD=x\nMAILDROP_PASSWORD_FILE=/x",
    "MAILDROP_RETRY_MIN=5000",
    "MAILDROP_RETRY_MAX=5",
    "MAILDROP_AUTH=plain",
    "MAILDROP_AUTH=xoauth2",
    "MAILDROP_AUTH=magic",
    "SMTP_HOST=;",
    "SMTP_HOST=a:b",
    "SMTP_HOST=me:secret@host",
    "MAILDROP_METRICS=host",
    "MAILDROP_OAUTH_TOKEN_URL=ftp://x",
    "MAILDROP_QUEUE=mysql://x",
    "MAILDROP_QUEUE=sqlite:///x",
    "MAILDROP_QUEUE=sqlite:////x?y",
    "MAILDROP_QUEUE=postgresql+psycopg://a@b@c/d",
    "MAILDROP_POSTMASTER=@",
    "DEBUG_RECEIVER='a b'",
    "MAILDROP_HOME=",
    "nothing",
    "A B",
    "A =1",
    "A=u'x'",
    "A='x",
    "A='x'y z",
    "A=x;y",
    "A=x\\",
    "A=1\rB=2",
]
ADDRESSES = ["(", "a\nb", ",", "<>", "a b", f"{'a' * 255}@x", "ü[", "a@-", "<a><b>"]
ADDRESSES += ["a: b;", '"']


@pytest.fixture
def refused(tmp_path):
    """The words that a file with this text is refused with."""

    def refused(text, **environ):
        path = tmp_path / "main.conf"
        path.write_bytes(text.encode("latin-1"))
        with pytest.raises(ConfigurationError) as refusal:
            load(path, environ)
        return refusal.value.wording

    return refused


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_in_a_file_is_told_in_german(said, refused, tmp_path, text):
    home = "" if text.startswith("MAILDROP_HOME") else "MAILDROP_HOME=/srv/mail\n"
    german = said(refused(f"{home}{text}\n"), tmp_path)
    assert german.startswith(f"{tmp_path}/main.conf")
    assert "secret" not in german


@pytest.mark.parametrize("text", ["A=\xff", "A=\0", "#" * 1_000_001])
def test_a_file_that_is_no_text_is_refused_in_german(said, refused, tmp_path, text):
    assert "erwartet: " in said(refused(text), tmp_path)


def test_a_file_that_cannot_be_read_is_told_in_german(said, tmp_path):
    for path, why in (
        (tmp_path / "none.conf", "Datei oder Verzeichnis nicht gefunden"),
        (tmp_path, "ist ein Verzeichnis"),
    ):
        with pytest.raises(ConfigurationError) as refusal:
            load(path, {})
        assert said(refusal.value.wording, tmp_path) == (
            f"{path}: Die Konfigurationsdatei ist nicht lesbar: {why}"
        )


def test_what_is_wrong_in_the_environment_is_told_in_german(said, refused):
    assert said(refused("MAILDROP_HOME=/srv/mail\n", MAILDROP_BATCH="x")) == (
        "Umgebungsvariable MAILDROP_BATCH: "
        "erwartet: eine ganze Zahl, mindestens 0; angegeben: 'x'"
    )


def test_warnings_are_in_german(said, tmp_path):
    path = tmp_path / "main.conf"
    path.write_text(
        "MAILDROP_HOME=/srv/mail\nMAILDROP_TSL=1\nfoo=1\nMAILDROP_TLS=1\n"
        "MAILDROP_TLS=2\nMAILDROP_LOGIN='me'\nMAILDROP_OAUTH_SCOPE=`x`\n"
        "DEBUG_RECEIVER=me@example.org\n"
    )
    warnings = [said(each, tmp_path) for each in load(path, {}).warnings]
    assert len(warnings) == 6


def test_a_key_that_is_not_listed_is_told_in_german(said):
    german = said(UnknownConfiguration("x").wording, "/path/to/the.conf")
    assert german.startswith("Es gibt keine Maildrop-Konfiguration 'x'; bekannt: ")


def test_several_senders_are_refused_in_german(said):
    with pytest.raises(InvalidMessage) as refusal:
        parse_sender("me@example.org, you@example.org")
    german = said(refusal.value.wording)
    assert german == "2 Absender angegeben, es kann nur einen geben"


@pytest.mark.parametrize("text", ADDRESSES)
def test_a_malformed_address_is_refused_in_german(said, text):
    with pytest.raises(InvalidMessage) as refusal:
        parse_addresses(text)
    german = said(refusal.value.wording, *([text] if len(text) > 1 else []))
    assert german != str(refusal.value)


TLS = "MAILDROP_TLS: erwartet: eine ganze Zahl von 0 bis 3; angegeben: '9'"


@pytest.fixture
def spoiled(newsletter, tmp_path):
    """The key of a configuration that no daemon takes."""
    with (tmp_path / "newsletter.conf").open("a") as file:
        file.write("MAILDROP_TLS=9\n")
    return newsletter


def test_the_form_refuses_it_in_german(panel, spoiled):
    panel.reads("de")
    panel.open("settings")
    panel.browser.getControl("Konfiguration").value = [spoiled]
    panel.browser.getControl("Speichern").click()
    assert TLS in unescape(panel.text)


def test_the_settings_tell_what_broke_in_german(
    panel, committing_portal, newsletter, request
):
    committing_portal.MailHost.setConfigPath(newsletter)
    transaction.commit()
    request.getfixturevalue("spoiled")
    panel.reads("de")
    panel.open("settings")
    assert TLS in unescape(panel.text)
    assert "Niemand kann sagen, ob Mail unterwegs ist: " in panel.text


def test_a_test_mail_to_nobody_is_refused_in_german(panel):
    panel.reads("de")
    panel.post("maildrophost-send-test", recipient="<>")
    assert "Nichts wurde eingereiht: Leerzeichen, Zeilenumbruch," in panel.text
