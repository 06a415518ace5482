"""The Maildrop Host in Zope's management interface."""
