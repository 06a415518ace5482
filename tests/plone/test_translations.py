"""Every text can be translated, and German is complete."""

from __future__ import annotations

import importlib.util
import re
import shutil
from pathlib import Path

import pytest
import transaction
from plone.registry.interfaces import IRegistry
from zope.component import getUtility
from zope.i18n import translate

from collective.maildrophost.controlpanel import moments, words

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def tool():
    path = ROOT / "tools" / "translations.py"
    spec = importlib.util.spec_from_file_location("translations", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def catalogs(tool):
    """Every translation, German at least."""
    found = tool.translations()
    assert "de" in {catalog.parents[1].name for catalog in found}
    return found


def entries(catalog):
    """Pairs of msgid and msgstr."""
    found = re.findall(
        r'^msgid ((?:"[^\n]*"\n?)+)msgstr ((?:"[^\n]*"\n?)+)',
        catalog.read_text(encoding="utf-8"),
        re.MULTILINE,
    )
    pairs = [[_unquoted(part) for part in pair] for pair in found]
    return dict(pairs[1:])


def _unquoted(lines):
    return "".join(re.findall(r'"(.*)"', lines))


def test_the_template_has_every_text(tool, tmp_path):
    template = tool.LOCALES / f"{tool.DOMAIN}.pot"
    collected = tmp_path / template.name
    shutil.copy(template, collected)
    tool.collect(collected)
    assert set(entries(collected)) == set(entries(template)), "run `make i18n`"


def test_every_translation_is_complete(tool, catalogs):
    template = entries(tool.LOCALES / f"{tool.DOMAIN}.pot")
    assert len(template) > 150
    for catalog in catalogs:
        translated = entries(catalog)
        assert set(translated) == set(template), catalog
        assert [msgid for msgid, text in translated.items() if not text] == [], catalog
        assert "fuzzy" not in catalog.read_text(encoding="utf-8")


def test_the_head_of_a_translation_is_filled_in(catalogs):
    for catalog in catalogs:
        head = catalog.read_text(encoding="utf-8").partition("\n\n")[0]
        for open_still in ("YEAR-MO-DA", "FULL NAME", "LANGUAGE <", "PACKAGE VERSION"):
            assert open_still not in head, catalog
        assert "plural=0" not in head, catalog


def test_translations_keep_what_is_filled_in(tool, catalogs):
    defaults = (tool.LOCALES / f"{tool.DOMAIN}.pot").read_text(encoding="utf-8")
    pairs = re.findall(r'#\. Default: "(.*)"\n(?:#[^\n]*\n)*msgid "(.*)"', defaults)
    assert len(pairs) > 100
    english = {msgid: default for default, msgid in pairs}
    for catalog in catalogs:
        for msgid, text in entries(catalog).items():
            said = english.get(msgid, msgid)
            assert _filled_in(text) == _filled_in(said), msgid


def _filled_in(text):
    return sorted(re.findall(r"\$\{\w+\}", text))


def test_the_compiled_translations_are_those_of_the_catalogs(tool, catalogs):
    for catalog in catalogs:
        compiled = catalog.with_suffix(".mo").read_bytes()
        assert compiled == tool.compiled(catalog), "run `make i18n`"


def test_a_german_reads_german(portal):
    assert translate(words.STATES["queued"], target_language="de") == "Eingereiht"
    assert translate(moments.span(90000), target_language="de") == "1 T 1 h"


def test_the_pages_are_in_the_readers_language(owner, committing_portal):
    registry = getUtility(IRegistry)
    registry["plone.available_languages"] = ["en", "de"]
    registry["plone.use_request_negotiation"] = True
    transaction.commit()
    owner.addHeader("Accept-Language", "de")
    for view, text in (
        ("", "Mail steht still: Kein Dienst arbeitet an der Warteschlange"),
        ("-queue", "Hier wartet nichts"),
        ("-test", "Eine Testmail verschicken"),
        ("-settings", "Mit der Transaktion verschicken"),
    ):
        panel = f"{committing_portal.absolute_url()}/@@maildrophost-controlpanel"
        owner.open(f"{panel}{view}")
        assert text in owner.contents
