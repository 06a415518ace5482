"""Add a Maildrop Host to a folder."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from Products.PageTemplates.PageTemplateFile import PageTemplateFile
from zExceptions import BadRequest
from ZPublisher import zpublish

from collective.maildrophost import productconfig
from collective.maildrophost.host import MaildropHost
from collective.maildrophost.samesite import check_same_site
from collective.maildrophost.settings import MaildropHostSettings

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
) -> Any:
    """Add a Maildrop Host, return its id; ValueError for a bad configuration key.

    The default key needs no file yet: the Edit tab says what is missing. With a
    request, redirects to the folder, which shows what was wrong.
    """
    if REQUEST is None:
        return _add(self, id, title, path_key)
    check_same_site(REQUEST)
    try:
        _add(self, id, title, path_key)
        query = ""
    # A folder refuses an id with BadRequest.
    except (ValueError, BadRequest) as error:
        query = "?" + urlencode({"manage_tabs_message": f"Nothing was added: {error}"})
    return REQUEST.RESPONSE.redirect(f"{self.absolute_url()}/manage_main{query}")


def _add(folder: Any, id: str, title: str, path_key: str) -> str:
    host = MaildropHost(id, title)
    MaildropHostSettings(host).configuration = path_key
    folder._setObject(id, host)
    return id
