"""The permissions of the add-on, as programs name them."""

MANAGE_MAIL_QUEUE = "collective.maildrophost: Manage Mail Queue"
"""To see the queue and the settings, and to act on them."""

ADD_MAILDROP_HOSTS = "Add Maildrop Hosts"
"""To add one to a folder, in the management interface."""
