"""Add a Maildrop Host to a folder."""

from __future__ import annotations

from typing import Any

from Products.PageTemplates.PageTemplateFile import PageTemplateFile
from ZPublisher import zpublish

from collective.maildrophost import productconfig
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.zmi.samesite import check_same_site

_form = PageTemplateFile("templates/add.zpt", globals())


@zpublish
def manage_addMaildropHostForm(self: Any, REQUEST: Any = None) -> str:
    """The form that asks for the id and the configuration."""
    return _form.__of__(self)(candidates=list(productconfig.configurations().items()))


@zpublish(methods="POST")
def manage_addMaildropHost(
    self: Any,
    id: str = "MailHost",
    title: str = "",
    path_key: str = productconfig.DEFAULT,
    REQUEST: Any = None,
) -> str:
    """Add a Maildrop Host, returns its id; ValueError for a bad configuration key.

    The default key needs no file yet: the Edit tab says what is missing.
    """
    if REQUEST is not None:
        check_same_site(REQUEST)
    host = MaildropHost(id, title)
    if path_key != productconfig.DEFAULT:
        host.setConfigPath(path_key)
    self._setObject(id, host)
    if REQUEST is not None:
        REQUEST.RESPONSE.redirect(f"{self.absolute_url()}/manage_main")
    return id
