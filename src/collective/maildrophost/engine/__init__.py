"""The mail queue with its daemon: never imports Zope, Plone, ZODB or transaction."""
