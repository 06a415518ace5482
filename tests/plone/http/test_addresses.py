"""A new view, service, adapter or method fails until it has its row in addresses.py."""

from __future__ import annotations

import pytest
from addresses import ADAPTERS, METHODS, VIEWS
from published import adapters, methods, views
from zope.component import getGlobalSiteManager
from zope.interface import Interface

from collective.maildrophost.browserlayer import IMaildropHostLayer


def test_every_view_and_service_is_known_with_its_permission(acceptance_layer):
    found = {each.name: each.permission for each in views()}

    assert found == {name: row.permission for name, row in VIEWS.items()}


def test_every_other_adapter_is_known(acceptance_layer):
    assert adapters() == ADAPTERS


def test_every_method_of_a_maildrop_host_is_known_with_its_permission():
    assert methods() == METHODS


@pytest.fixture
def forgotten():
    """A view of ours that nobody has put into the table."""

    class Forgotten:
        __module__ = "collective.maildrophost.forgotten"

        def __init__(self, context, request):
            pass

    registry = getGlobalSiteManager()
    registered = (Forgotten, (Interface, IMaildropHostLayer), Interface, "forgotten")
    registry.registerAdapter(*registered)
    yield
    registry.unregisterAdapter(*registered)


def test_a_forgotten_view_is_found(acceptance_layer, forgotten):
    assert "forgotten" in {each.name for each in views()} - set(VIEWS)
