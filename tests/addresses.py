"""Everything of the add-on that has an address, and who may reach it.

What is registered is compared with it (plone/http/test_addresses.py), and every row is
tried over HTTP (plone/http/test_security.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from AccessControl.Permissions import change_configuration, use_mailhost_services, view
from published import ANY_METHOD, NO_METHOD, PUBLIC, UNDECLARED, Method

from collective.maildrophost.permissions import MANAGE_MAIL_QUEUE

MESSAGES = "@maildrop/messages"
SETTINGS = "@controlpanels/maildrophost"

SERVICE, PAGE, ACTION = "service", "page", "action"
PUBLIC_PAGE, FILES, NO_ADDRESS = "public page", "static files", "no address"


@dataclass(frozen=True)
class Row:
    """Who may reach a view, and what it is.

    A page shows something: whatever is sent to it, it changes nothing without a valid
    authenticator. An action changes something: by POST, with an authenticator. A
    service is of plone.restapi (test_access.py has more on them).
    """

    permission: str
    kind: str


VIEWS = {
    "GET_application_json_@maildrop": Row(MANAGE_MAIL_QUEUE, SERVICE),
    "PATCH_application_json_@maildrop": Row(MANAGE_MAIL_QUEUE, SERVICE),
    "DELETE_application_json_@maildrop": Row(MANAGE_MAIL_QUEUE, SERVICE),
    "maildrophost-controlpanel": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-controlpanel-queue": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-controlpanel-message": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-controlpanel-test": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-controlpanel-test-progress": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-controlpanel-settings": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-controlpanel-health": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-controlpanel-figures": Row(MANAGE_MAIL_QUEUE, PAGE),
    "maildrophost-act": Row(MANAGE_MAIL_QUEUE, ACTION),
    "maildrophost-batch": Row(MANAGE_MAIL_QUEUE, ACTION),
    "maildrophost-lane": Row(MANAGE_MAIL_QUEUE, ACTION),
    "maildrophost-repair": Row(MANAGE_MAIL_QUEUE, ACTION),
    "maildrophost-send-test": Row(MANAGE_MAIL_QUEUE, ACTION),
    # Plone's own, which says where its settings have gone.
    "mail-controlpanel": Row("Plone Site Setup: Mail", PAGE),
    "collective.maildrophost": Row(UNDECLARED, FILES),
    # What plone.restapi calls a control panel: its serializers check.
    "maildrophost": Row(UNDECLARED, NO_ADDRESS),
    # What the publisher shows of our exception.
    "index.html": Row(PUBLIC, NO_ADDRESS),
    # The text of a mail, which Plone's own view shows to everybody, too.
    "mail_password_template": Row(PUBLIC, PUBLIC_PAGE),
}

# They are not views: they have no address. Those that a service of somebody else calls
# check the permission themselves, which test_security.py tries.
ADAPTERS = {
    "collective.maildrophost.api.deserializer.SettingsDeserializer",
    "collective.maildrophost.api.serializer.SettingsSerializer",
    "collective.maildrophost.exportimport.MaildropHostXMLAdapter",
    "collective.maildrophost.settings.MaildropHostSettings",
}

POST = ("POST",)
METHODS = {
    "send": Method(use_mailhost_services, NO_METHOD),
    "scheduledSend": Method(use_mailhost_services, NO_METHOD),
    "simple_send": Method(use_mailhost_services, NO_METHOD),
    "queueLength": Method(view, NO_METHOD),
    "queueNonDeliveryMode": Method(view, NO_METHOD),
    "queueThreadAlive": Method(view, NO_METHOD),
    "isTransactional": Method(change_configuration, NO_METHOD),
    "setTransactional": Method(change_configuration, NO_METHOD),
    "getConfigKey": Method(change_configuration, NO_METHOD),
    "getConfigPath": Method(change_configuration, NO_METHOD),
    "setConfigPath": Method(change_configuration, NO_METHOD),
    "addConfigPath": Method(change_configuration, NO_METHOD),
    "getCandidateConfigPaths": Method(change_configuration, NO_METHOD),
    "getLog": Method(change_configuration, NO_METHOD),
    "manage": Method(change_configuration, ANY_METHOD),
    "manage_main": Method(change_configuration, ANY_METHOD),
    "manage_queue": Method(change_configuration, ANY_METHOD),
    "manage_log": Method(change_configuration, ANY_METHOD),
    "manage_makeChanges": Method(change_configuration, POST),
    "manage_actOnMessages": Method(change_configuration, POST),
    "manage_releaseBatch": Method(change_configuration, POST),
    "manage_discardBatch": Method(change_configuration, POST),
    "manage_restartQueueThread": Method(change_configuration, POST),
}
