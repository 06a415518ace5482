"""The base of every exception that this package raises on purpose."""


class MaildropError(Exception):
    """Something a person can act on; its text says what and how."""
