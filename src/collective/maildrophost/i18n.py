"""The translation domain of what people read."""

from __future__ import annotations

from zope.i18nmessageid import MessageFactory

_ = MessageFactory("collective.maildrophost")
