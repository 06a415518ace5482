"""What a Maildrop Host offers beyond Zope's own MailHost."""

from __future__ import annotations

from Products.MailHost.interfaces import IMailHost


class IMaildropHost(IMailHost):
    """A MailHost whose mail leaves through the maildrop queue, never in the request."""

    def send(
        messageText,
        mto=None,
        mfrom=None,
        subject=None,
        encode=None,
        immediate=False,
        charset=None,
        msg_type=None,
        lane=None,
        deliver_at=None,
    ):
        """Queue a mail; it leaves when the transaction commits.

        `lane` is "interactive", "normal" or "bulk"; None lets the message's headers
        decide. `deliver_at` is an aware datetime, or a Zope DateTime, before which the
        mail does not leave. `immediate` means the interactive lane.

        Raises MailHostError, with the reason, for mail that cannot be delivered and for
        a configuration that cannot be read.
        """

    def isTransactional():
        """Whether mail waits for the transaction's commit."""

    def setTransactional(transactional):
        """Turn the transactional mode on or off."""

    def getConfigKey():
        """The key of the configuration in use; "DEFAULT" unless another was chosen."""

    def getConfigPath():
        """The path of the configuration in use; "" when its key is not known."""

    def setConfigPath(key):
        """Use the configuration listed under `key`.

        Raises ValueError when there is no such key (a path is not a key), or when its
        file cannot be used.
        """

    def addConfigPath(key, path):
        """List the configuration file `path` under `key`, until this Zope stops.

        Raises ValueError for an empty key, or one that is no text.
        """

    def getCandidateConfigPaths():
        """The configurations to choose from: a tuple of pairs of key and path."""

    def getLog(max_bytes=50000):
        """The newest `max_bytes` bytes of the daemon's log, as text; "" without a log.

        Raises MailHostError when the configuration cannot be read.
        """

    def queueLength():
        """How many mails wait, or a text that says why the queue does not answer."""

    def queueThreadAlive():
        """Whether a daemon works on the queue."""
