"""Installing takes the place of a tool of Products.MaildropHost."""

from __future__ import annotations

import sys
import types

import pytest
import transaction
from OFS.SimpleItem import SimpleItem
from Products.MailHost.MailHost import MailHost
from Zope2.App.ClassFactory import ClassFactory

from collective.maildrophost import MaildropHost

OLD_MODULE = "Products.MaildropHost.MaildropHost"


@pytest.fixture
def broken_tool(committing_portal, uninstall, newsletter, monkeypatch):
    """A committed site whose MailHost is an object of a product that is gone."""
    from collective.maildrophost import productconfig

    site = committing_portal
    uninstall(site)
    module = types.ModuleType(OLD_MODULE)
    module.MaildropHost = type(
        "MaildropHost", (SimpleItem,), {"__module__": OLD_MODULE}
    )
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, OLD_MODULE, module)
        old = module.MaildropHost()
        vars(old).update(
            id="MailHost",
            title="Our old mail",
            _transactional=False,
            config_path=productconfig.configurations()[newsletter],
            password="******",
            polling=120,
        )
        site._delObject("MailHost")
        site._setObject("MailHost", old)
        transaction.commit()
        site.MailHost._p_deactivate()
    # What Zope gives its databases; plone.testing leaves it out.
    monkeypatch.setattr(site._p_jar._reader, "_factory", ClassFactory)
    site._p_jar.cacheMinimize()
    return site


def test_its_settings_are_those_of_the_maildrop_host(broken_tool, install, tool_of):
    install(broken_tool)
    host = tool_of(broken_tool)
    assert type(host) is MaildropHost
    assert host.title == "Our old mail"
    assert host.getConfigKey() == "newsletter"
    assert not host.isTransactional()
    assert not {"password", "polling", "config_path"} & set(vars(host))


def test_uninstalling_brings_a_plain_mailhost(broken_tool, install, uninstall, tool_of):
    install(broken_tool)
    uninstall(broken_tool)
    assert type(tool_of(broken_tool)) is MailHost
