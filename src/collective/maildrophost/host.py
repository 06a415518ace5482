"""The MailHost that hands mail to the maildrop queue."""

from __future__ import annotations

import os
import socket
import time
from typing import Any

from AccessControl.class_init import InitializeClass
from AccessControl.Permissions import change_configuration, use_mailhost_services
from AccessControl.SecurityInfo import ClassSecurityInfo
from Products.MailHost.MailHost import MailHost
from zope.interface import implementer
from ZPublisher import zpublish

from collective.maildrophost import oldhost, productconfig
from collective.maildrophost.deliverer import Deliverer
from collective.maildrophost.engine.config import Configuration, ConfigurationError
from collective.maildrophost.engine.message import (
    InvalidMessage,
    Message,
    compose,
)
from collective.maildrophost.interfaces import IMaildropHost
from collective.maildrophost.logtail import newest
from collective.maildrophost.mailer import QueueMailer
from collective.maildrophost.patched import is_patched
from collective.maildrophost.refusal import as_mailhost_error
from collective.maildrophost.submission import envelope, headers, wishes
from collective.maildrophost.submission.guarded import content, guarded
from collective.maildrophost.submission.munged import munged
from collective.maildrophost.transaction import send_now, send_with_transaction
from collective.maildrophost.zmi.tabs import Tabs


@implementer(IMaildropHost)
class MaildropHost(Tabs, Deliverer, MailHost):
    """A MailHost whose mail leaves through the maildrop queue.

    Only the settings are stored: which configuration, and whether mail waits for the
    transaction. All the rest is in the configuration's file.
    """

    security = ClassSecurityInfo()
    meta_type = "Maildrop Host"
    manage_options = Tabs.tabs + MailHost.manage_options[1:]

    # Other code reads these; the relay itself is in the configuration.
    id = "MailHost"
    title = ""
    smtp_host = "localhost"
    smtp_port = 25
    # Callers choose `immediate` by it. It is a property, because a value stored by a
    # control panel or an import step must not turn it off. It is False only while an
    # add-on's `_send` has the mail: should that call MailHost's own without
    # `immediate`, the mail must go to our mailer and not to a Maildir.
    smtp_queue = property(
        lambda self: wishes.kept_now().immediate is None, lambda self, value: None
    )

    _config_key = productconfig.DEFAULT
    _transactional = True

    def __init__(self, id: str = "MailHost", title: str = "") -> None:
        self.id = id
        self.title = title

    @security.private
    def __setstate__(self, state: Any) -> None:
        # It may be from Products.MaildropHost, if zodbupdate has renamed the class.
        super().__setstate__(oldhost.translated(state))

    # Not published: any page on the web could make a visitor's browser open its URL.
    @zpublish(False)
    @security.protected(use_mailhost_services)
    def send(
        self,
        messageText: Any,
        mto: Any = None,
        mfrom: Any = None,
        subject: Any = None,
        encode: Any = None,
        immediate: bool = False,
        charset: str | None = None,
        msg_type: str | None = None,
        lane: Any = None,
        deliver_at: Any = None,
    ) -> None:
        """Queue a mail, see IMaildropHost; raises MailHostError."""
        with as_mailhost_error():
            charset = headers.one_line("charset", charset)
            subject = headers.one_line("subject", subject, charset)
            msg_type = headers.one_line("msg_type", msg_type)
            encode = headers.one_line("encode", encode)
            mfrom = envelope.sender(mfrom, charset)
            messageText = headers.as_text("message", messageText, charset)
            messageText = headers.remove_preface(messageText)
            messageText = headers.remove_separators(messageText)
            headers.check(messageText)
            mto = envelope.listed(mto, charset)
            recipients = envelope.recipients(messageText, mto)
        # Not passed as arguments: add-ons and tests replace the methods called from
        # here on by methods that take MailHost's own arguments only.
        with wishes.kept(lane=lane, deliver_at=deliver_at):
            if is_patched(MailHost.send):
                # As callers do it: the first three by position, the others by name,
                # and only those that were given.
                named = {"subject": subject, "encode": encode}
                named |= {"charset": charset, "msg_type": msg_type}
                named |= {"immediate": True if immediate else None}
                given = {name: arg for name, arg in named.items() if arg is not None}
                with as_mailhost_error():
                    super().send(guarded(messageText), mto, mfrom, **given)
                return
            octets, sender = munged(
                messageText, mto, mfrom, subject, charset, msg_type, encode
            )
            self._send(sender, recipients, octets, immediate)

    security.declareProtected(use_mailhost_services, "scheduledSend")
    scheduledSend = send

    @zpublish(False)
    @security.protected(use_mailhost_services)
    def simple_send(
        self, mto: Any, mfrom: Any, subject: Any, body: Any, immediate: bool = False
    ) -> None:
        """Queue a mail made of these arguments; raises MailHostError."""
        # MailHost joins them to one text, where a line break would begin a header.
        with as_mailhost_error():
            mfrom = headers.one_line("sender", mfrom)
            mto = headers.one_line("recipient", mto)
            subject = headers.one_line("subject", subject)
            body = headers.as_text("text", body)
            if not mto:
                raise InvalidMessage("no recipient given")
        super().simple_send(mto, mfrom, subject, body, immediate)

    @security.private
    def _send(
        self, mfrom: Any, mto: Any, messageText: Any, immediate: bool = False
    ) -> None:
        if is_patched(MailHost._send):
            # An add-on such as Products.PrintingMailHost gets the mail instead. Should
            # it hand the mail on to MailHost's own `_send`, True has our mailer queue
            # it; what the caller said is among the wishes. It is passed by position,
            # as MailHost does: not every add-on calls it `immediate`.
            with wishes.kept(immediate=bool(immediate)):
                super()._send(mfrom, mto, messageText, True)
        else:
            self._queue(mfrom, mto, messageText, immediate)

    def _queue(
        self, mfrom: Any, mto: Any, messageText: Any, immediate: bool = False
    ) -> None:
        with as_mailhost_error():
            configuration = self._configuration()
            message = self._composed(
                configuration, mfrom, mto, messageText, bool(immediate)
            )
        self._hand_over(configuration.queue, message)

    # Products.PrintingMailHost calls it for its fixed addresses, which do get mail.
    _monkey__send = _queue

    def _composed(
        self,
        configuration: Configuration,
        mfrom: Any,
        mto: Any,
        messageText: Any,
        immediate: bool,
    ) -> Message:
        wished = wishes.kept_now()
        if wished.immediate is not None:
            immediate = wished.immediate
        return compose(
            content(messageText),
            headers.unfolded(envelope.sender(mfrom) or ""),
            envelope.recipients("", mto),
            lane=wishes.lane_of(wished.lane),
            at=wishes.seconds_of(wished.deliver_at),
            immediate=immediate,
            add_message_id=configuration.add_messageid,
            now=time.time(),
        )

    def _hand_over(self, url: str, message: Message) -> None:
        hand_over = send_with_transaction if self.isTransactional() else send_now
        hand_over(url, message, self._origin())

    def _origin(self) -> str:
        path = "/".join(self.getPhysicalPath())
        return f"{path} on {socket.gethostname()}, process {os.getpid()}"

    def _configuration(self) -> Configuration:
        return productconfig.configuration(self._config_key)

    @zpublish(False)
    @security.protected(change_configuration)
    def isTransactional(self) -> bool:
        """Whether mail waits for the transaction's commit."""
        return self._transactional

    @zpublish(False)
    @security.protected(change_configuration)
    def setTransactional(self, transactional: Any) -> None:
        """Turn the transactional mode on or off."""
        self._transactional = bool(transactional)

    @zpublish(False)
    @security.protected(change_configuration)
    def getConfigKey(self) -> str:
        """The key of the configuration in use."""
        return self._config_key

    @zpublish(False)
    @security.protected(change_configuration)
    def getConfigPath(self) -> str:
        """The path of the configuration in use; "" when its key is not known."""
        return productconfig.configurations().get(self._config_key, "")

    @zpublish(False)
    @security.protected(change_configuration)
    def setConfigPath(self, key: str) -> None:
        """Use the configuration listed under `key`; ValueError says why not."""
        try:
            known = productconfig.key_of(key)
            productconfig.configuration(known)
        except ConfigurationError as error:
            raise ValueError(str(error)) from error
        self._config_key = known
        vars(self).pop(oldhost.CONFIG_PATH, None)

    @zpublish(False)
    @security.protected(change_configuration)
    def addConfigPath(self, key: str, path: str | os.PathLike[str]) -> None:
        """List `path` under `key` until this Zope stops; a bad key is a ValueError."""
        productconfig.add(key, path)

    @zpublish(False)
    @security.protected(change_configuration)
    def getCandidateConfigPaths(self) -> tuple[tuple[str, str], ...]:
        """Pairs of key and path to choose from."""
        return tuple(productconfig.configurations().items())

    @zpublish(False)
    @security.protected(change_configuration)
    def getLog(self, max_bytes: int = 50000) -> str:
        """The newest bytes of the daemon's log; "" when there is none."""
        with as_mailhost_error():
            return newest(self._configuration().log_file, max_bytes)

    @security.private
    def _makeMailer(self) -> QueueMailer:
        """A mailer for code that uses the parts of a MailHost: it queues, too."""
        return QueueMailer(self)


InitializeClass(MaildropHost)
