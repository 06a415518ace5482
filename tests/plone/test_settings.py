"""The settings as the control panels of Classic UI and Volto read and write them."""

from __future__ import annotations

import pytest
from zope.interface import Invalid
from zope.schema import getFieldNames

from collective.maildrophost.settings import IMaildropHostSettings


@pytest.fixture
def settings(portal):
    return IMaildropHostSettings(portal.MailHost)


@pytest.fixture
def broken(tmp_path, list_configurations):
    """The key of a configuration whose file cannot be used."""
    path = tmp_path / "broken.conf"
    path.write_text('MAILDROP_HOME="/x"\nSMTP_PORT=many\n')
    list_configurations(broken=path)
    return "broken"


def choices(site):
    field = IMaildropHostSettings["configuration"].bind(site)
    return {term.value: str(term.title) for term in field.vocabulary}


def test_every_setting_is_read_and_written(portal, settings, newsletter):
    settings.title = "Letters"
    settings.configuration = newsletter
    settings.transactional = False

    assert portal.MailHost.title == settings.title == "Letters"
    assert portal.MailHost.getConfigKey() == settings.configuration == newsletter
    assert portal.MailHost.isTransactional() is settings.transactional is False
    assert set(getFieldNames(IMaildropHostSettings)) == {
        "title",
        "configuration",
        "transactional",
    }


def test_the_listed_configurations_are_the_choices(portal, newsletter, tmp_path):
    found = choices(portal)

    assert list(found) == ["DEFAULT", newsletter]
    assert found[newsletter] == f"newsletter: {tmp_path}/newsletter.conf"


def test_the_configuration_in_use_stays_a_choice_when_it_is_unlisted(
    portal, newsletter, monkeypatch
):
    portal.MailHost.setConfigPath(newsletter)
    monkeypatch.undo()

    assert newsletter in choices(portal)
    assert newsletter in choices(IMaildropHostSettings(portal.MailHost))


def test_a_configuration_that_cannot_be_used_is_refused(portal, settings, broken):
    with pytest.raises(ValueError, match=r"broken.conf:2: SMTP_PORT"):
        settings.configuration = broken

    assert settings.configuration == "DEFAULT"


def test_a_form_says_why_a_configuration_cannot_be_used(portal, broken):
    wanted = Wanted(broken)
    errors = []

    with pytest.raises(Invalid):
        IMaildropHostSettings.validateInvariants(wanted, errors)

    assert "broken.conf:2: SMTP_PORT" in str(errors)


def test_other_settings_are_saved_while_the_configuration_in_use_is_broken(
    portal, settings, newsletter, tmp_path
):
    settings.configuration = newsletter
    (tmp_path / "newsletter.conf").write_text("SMTP_PORT=many\n")

    settings.configuration = newsletter
    IMaildropHostSettings.validateInvariants(Wanted(newsletter))


class Wanted:
    """What somebody has filled in."""

    def __init__(self, configuration):
        self.configuration = configuration
