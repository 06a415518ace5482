"""Layers of plone.app.testing: a Plone site with the add-on and a queue of its own."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import plone.app.locales
import plone.restapi
from plone.app.testing import (
    PLONE_FIXTURE,
    FunctionalTesting,
    IntegrationTesting,
    PloneSandboxLayer,
    applyProfile,
)
from plone.testing import zope

import collective.maildrophost
from collective.maildrophost import productconfig
from collective.maildrophost.engine.queue import State, delete_messages, list_messages
from collective.maildrophost.queues import configured_queue

CONFIGURATION = """\
MAILDROP_HOME="{home}"
MAILDROP_POSTMASTER="postmaster@example.org"
"""


class MaildropHostLayer(PloneSandboxLayer):
    """A site whose MailHost queues into a temporary directory; no daemon runs.

    Resources: `maildrop_configuration`, the path of the configuration file, and
    `maildrop_queue`, the queue, empty when a test begins.
    """

    defaultBases = (PLONE_FIXTURE,)

    def setUp(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="maildrop-"))
        path = self._home / "maildrop.conf"
        path.write_text(CONFIGURATION.format(home=self._home), encoding="utf-8")
        self._environment = os.environ.get(productconfig.ENVIRONMENT)
        os.environ[productconfig.ENVIRONMENT] = str(path)
        self["maildrop_configuration"] = path
        self["maildrop_queue"] = configured_queue(productconfig.DEFAULT)
        super().setUp()

    def setUpZope(self, app: Any, configurationContext: Any) -> None:
        # Part of every Plone, but not loaded by plone.app.testing.
        self.loadZCML(package=plone.restapi)
        self.loadZCML(package=plone.app.locales)
        self.loadZCML(package=collective.maildrophost)
        zope.installProduct(app, "collective.maildrophost")

    def setUpPloneSite(self, portal: Any) -> None:
        applyProfile(portal, "plone.restapi:default")
        applyProfile(portal, "collective.maildrophost:default")

    def testSetUp(self) -> None:
        with self["maildrop_queue"].write() as tx:
            for state in State:
                delete_messages(tx, [each.id for each in list_messages(tx, state)])

    def tearDownZope(self, app: Any) -> None:
        zope.uninstallProduct(app, "collective.maildrophost")

    def tearDown(self) -> None:
        super().tearDown()
        self["maildrop_queue"].close()
        del self["maildrop_queue"], self["maildrop_configuration"]
        if self._environment is None:
            del os.environ[productconfig.ENVIRONMENT]
        else:
            os.environ[productconfig.ENVIRONMENT] = self._environment
        shutil.rmtree(self._home)


MAILDROPHOST_FIXTURE = MaildropHostLayer(name="MaildropHost:Fixture")

MAILDROPHOST_INTEGRATION_TESTING = IntegrationTesting(
    bases=(MAILDROPHOST_FIXTURE,), name="MaildropHost:Integration"
)

MAILDROPHOST_FUNCTIONAL_TESTING = FunctionalTesting(
    bases=(MAILDROPHOST_FIXTURE,), name="MaildropHost:Functional"
)

MAILDROPHOST_ACCEPTANCE_TESTING = FunctionalTesting(
    bases=(MAILDROPHOST_FIXTURE, zope.WSGI_SERVER_FIXTURE),
    name="MaildropHost:Acceptance",
)
