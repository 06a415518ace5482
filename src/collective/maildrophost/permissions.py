"""The permissions of the add-on, as programs name them."""

MANAGE_MAIL_QUEUE = "collective.maildrophost: Manage Mail Queue"
"""To see and change the queue and the settings; not to read what is in a message."""

VIEW_MAIL_TEXT = "collective.maildrophost: View Mail Text"
"""To read what is in a message: whoever reads a mail for a lost password can use it."""

ADD_MAILDROP_HOSTS = "Add Maildrop Hosts"
"""To add one to a folder, in the management interface."""
