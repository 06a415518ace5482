"""A Maildrop Host sends as a MailHost does, through the queue."""

from __future__ import annotations

import pickle
import sys
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from email import message_from_bytes

import pytest
import transaction
import ZODB
import ZODB.FileStorage
from AccessControl.Permissions import change_configuration
from AccessControl.ZopeSecurityPolicy import getRoles
from DateTime import DateTime
from DocumentTemplate.DT_HTML import HTML
from OFS.Folder import Folder
from Products.MailHost import SendMailTag  # noqa: F401  registers <dtml-sendmail>
from Products.MailHost.interfaces import IMailHost
from Products.MailHost.MailHost import MailHost, MailHostError
from zope.interface.verify import verifyObject

from collective import maildrophost
from collective.maildrophost.engine.message import Lane
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.interfaces import IMaildropHost


def test_it_is_what_the_package_offers(host):
    assert maildrophost.MaildropHost is MaildropHost
    assert host.meta_type == "Maildrop Host"
    assert host.getId() == "MailHost"
    assert isinstance(host, MailHost)
    verifyObject(IMailHost, host)
    verifyObject(IMaildropHost, host)


def test_mail_is_in_the_normal_lane(host, send, sent):
    send(host)
    assert sent().lane is Lane.NORMAL


def test_immediate_mail_is_in_the_interactive_lane_and_waits_for_the_commit(
    host, send, sent, mails
):
    send(host, immediate=True)
    assert mails() == []
    assert sent().lane is Lane.INTERACTIVE


def test_the_lane_argument_wins_over_all(host, send, sent):
    send(host, immediate=True, lane="bulk")
    assert sent().lane is Lane.BULK


def test_a_lane_may_be_given_as_the_engine_knows_it(host, send, sent):
    send(host, lane=Lane.BULK)
    assert sent().lane is Lane.BULK


@pytest.mark.parametrize("lane", [5, 1, 1.5, True, b"bulk", ["bulk"], "", object()])
def test_a_value_that_is_no_lane_is_refused(host, send, refused, lane):
    with refused("the lanes are interactive, normal, bulk"):
        send(host, lane=lane)


def test_list_mail_is_in_the_bulk_lane(host, sent):
    host.send("Precedence: list\n\nhi\n", mto="to@example.org", mfrom="f@example.org")
    assert sent().lane is Lane.BULK


def test_the_lane_header_is_obeyed_and_removed(host, sent, content_of):
    mail = "X-Maildrop-Lane: bulk\nSubject: hello\n\nhi\n"
    host.send(mail, mto="to@example.org", mfrom="from@example.org")
    message = sent()
    assert message.lane is Lane.BULK
    assert b"X-Maildrop-Lane" not in content_of(message)


@pytest.mark.parametrize("kind", [lambda when: when, DateTime])
def test_mail_with_a_time_is_due_then(host, send, sent, kind):
    when = datetime.now(timezone(timedelta(hours=5))) + timedelta(days=1)
    send(host, deliver_at=kind(when))
    assert sent().due == pytest.approx(when.timestamp(), abs=1)


def test_lane_and_time_of_refused_mail_do_not_pass_to_the_next(host, send, sent):
    later = datetime(2040, 1, 1, tzinfo=timezone.utc)
    with pytest.raises(MailHostError, match="cannot be written"):
        send(host, lane="bulk", deliver_at=later, charset="no-such-charset")
    # As add-ons call it, which name no wishes of their own.
    host._send("from@example.org", ["to@example.org"], "Subject: hello\n\nhi")
    message = sent()
    assert (message.lane, message.due < later.timestamp()) == (Lane.NORMAL, True)


def test_a_message_id_is_added_when_the_configuration_says_so(
    host, send, sent, content_of
):
    send(host)
    message = sent()
    assert message.message_id
    assert message.message_id.encode() in content_of(message)


def test_no_message_id_is_added_when_the_configuration_says_no(
    host, send, sent, content_of, configuration_file
):
    with configuration_file.open("a") as file:
        file.write("ADD_MESSAGEID=0\n")
    send(host)
    assert b"message-id" not in content_of(sent()).lower()


def test_the_type_is_the_one_that_is_asked_for(host, send, sent, content_of):
    send(host, msg_type="text/html")
    mail = message_from_bytes(content_of(sent()))
    assert mail.get_content_type() == "text/html"


def test_mail_that_is_encoded_already_is_not_encoded_differently(host, send, refused):
    with refused("already encoded"):
        send(host, charset="utf-8", encode="base64")


def test_without_transactions_mail_is_queued_before_send_returns(host, send, subjects):
    host.setTransactional(False)
    assert not host.isTransactional()
    send(host)
    assert subjects() == [("hello", "queued")]
    transaction.abort()
    assert subjects() == [("hello", "queued")]


def test_without_transactions_a_refusing_queue_is_a_mailhosterror(
    host, send, queue, subjects
):
    host.setTransactional(False)
    away = queue.path.rename(queue.path.with_suffix(".away"))
    with pytest.raises(MailHostError, match="removed"):
        send(host)
    away.rename(queue.path)
    assert subjects() == []


def test_nothing_turns_the_queue_off(host):
    host.smtp_queue = False
    host.__dict__["smtp_queue"] = False
    assert host.smtp_queue is True


def test_an_addon_may_set_the_server_of_a_mailhost(host):
    """By position or by name, as collective.smtpssl does when it is installed."""
    host.setTransactional(False)
    key = host.getConfigKey()
    host.manage_makeChanges("By position", "smtp.example.org", 25, implicit_tls=True)
    assert host.title == "By position"
    host.manage_makeChanges("By name", smtp_host="smtp.example.org", smtp_port="25")
    assert host.title == "By name"
    assert (host.getConfigKey(), host.isTransactional()) == (key, False)
    assert host.smtp_host == "localhost"


@pytest.mark.parametrize("transactional", [True, False])
def test_the_server_of_a_mailhost_is_never_taken_for_a_setting(host, transactional):
    host.setTransactional(transactional)
    key = host.getConfigKey()
    for port in (25, "25"):
        host.manage_makeChanges("Mail", "smtp.example.org", port)
        host.manage_makeChanges("Mail", "", smtp_port=port)
        host.manage_makeChanges("Mail", "smtp.example.org", port, "anna")
        host.manage_makeChanges("Mail", "smtp.example.org", port, "anna", "secret")
    assert (host.getConfigKey(), host.isTransactional()) == (key, transactional)


def test_settings_may_be_named_beside_the_arguments_of_a_mailhost(host):
    server = {"smtp_host": "smtp.example.org", "smtp_port": 25}
    host.manage_makeChanges("Mail", **server, transactional=False)
    assert not host.isTransactional()
    with pytest.raises(ValueError, match="'nowhere'"):
        host.manage_makeChanges("Mail", **server, path_key="nowhere")


def test_the_log_is_its_newest_bytes(host, configuration):
    assert host.getLog() == ""
    configuration.log_file.parent.mkdir(parents=True, exist_ok=True)
    configuration.log_file.write_text("old line\nnew line ü\n", encoding="utf-8")
    assert host.getLog() == "old line\nnew line ü\n"
    assert host.getLog(max_bytes=12) == "new line ü\n"
    assert host.getLog(max_bytes=0) == ""
    assert host.getLog(max_bytes=sys.maxsize) == host.getLog()


def test_a_log_that_cannot_be_read_is_not_an_empty_one(host, configuration):
    configuration.log_file.mkdir(parents=True)
    with pytest.raises(MailHostError, match="Is a directory"):
        host.getLog()


def test_a_simple_mail_may_be_immediate(host, sent):
    host.simple_send("to@example.org", "from@example.org", "hello", "hi", True)
    assert sent().lane is Lane.INTERACTIVE


@pytest.mark.parametrize("call", ["simple_send", "scheduledSend", "sendTemplate"])
def test_the_other_ways_to_send_use_the_queue(host, sent, call):
    mail = "Subject: hello\nTo: to@example.org\nFrom: from@example.org\n\nhi\n"
    if call == "simple_send":
        host.simple_send("to@example.org", "from@example.org", "hello", "hi")
    elif call == "scheduledSend":
        host.scheduledSend(mail, lane="bulk")
    else:
        folder = Folder("folder")
        folder.template = lambda *args, **options: mail
        host.REQUEST = None
        host.sendTemplate(folder, "template")
    assert sent().subject == "hello"


def test_dtml_sendmail_uses_the_queue(host, sent):
    template = HTML(
        '<dtml-sendmail mailhost="MailHost">\n'
        "To: to@example.org\nFrom: from@example.org\nSubject: by DTML\n\n"
        "<dtml-var greeting>\n</dtml-sendmail>"
    )
    template(None, {"MailHost": host, "greeting": "hi"})
    assert sent().subject == "by DTML"


def test_a_host_is_small_in_the_database_and_survives_a_restart(
    configuration_file, database_file, send, sent
):
    host = MaildropHost("MailHost", "The title")
    host.setTransactional(False)
    assert len(pickle.dumps(host.__getstate__())) < 200
    with opened(database_file) as connection:
        connection.root.host = host
    with opened(database_file) as connection:
        reloaded = connection.root.host
        assert reloaded is not host
        assert reloaded.title == "The title"
        assert not reloaded.isTransactional()
        assert reloaded.smtp_queue is True
        send(reloaded)
    assert sent().subject == "hello"


@contextmanager
def opened(database_file):
    """A connection to the database, opened anew, in a transaction of its own."""
    db = ZODB.DB(ZODB.FileStorage.FileStorage(str(database_file)))
    with db.transaction() as connection:
        yield connection
    db.close()


def test_the_password_is_in_no_pickle(configuration_file, root, send):
    with configuration_file.open("a") as file:
        file.write('MAILDROP_LOGIN="me"\nMAILDROP_PASSWORD="geheim"\n')
    send(root.host)
    transaction.commit()
    assert b"geheim" not in pickle.dumps(root.host.__getstate__())


@pytest.mark.parametrize(
    "name",
    [
        "getConfigPath",
        "setConfigPath",
        "addConfigPath",
        "getCandidateConfigPaths",
        "isTransactional",
        "getLog",
        "manage_makeChanges",
    ],
)
def test_settings_need_the_permission_to_change_the_configuration(host, name):
    folder = Folder("folder")
    folder._setObject("MailHost", host)
    folder.manage_permission(change_configuration, ["Postmaster"])
    roles = getRoles(folder.MailHost, name, getattr(folder.MailHost, name), None)
    assert tuple(roles) == ("Postmaster",)
