"""The ZCML of the package, where a Zope without Plone reads it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SITE = """\
import Products.CMFPlone  # it is there, but this site does not load it
from zope.configuration import xmlconfig

xmlconfig.string('''
<configure xmlns="http://namespaces.zope.org/zope">
  <include package="Products.Five" />
  <include package="collective.maildrophost" />
</configure>''')
"""


def test_a_plain_zope_takes_it_where_plone_is_installed_as_well():
    pytest.importorskip("Products.CMFPlone")
    ended = subprocess.run(
        [sys.executable, "-c", SITE],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
