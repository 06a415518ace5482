"""@controlpanels/maildrophost: the settings, as Volto shows and saves them."""

from __future__ import annotations

import pytest
import transaction
from addresses import SETTINGS
from plone import api
from plone.restapi.controlpanels.interfaces import IControlpanel

from collective.maildrophost.api.controlpanel import MaildropHostControlpanel


@pytest.fixture
def newsletter(list_configurations, tmp_path):
    """The key of a second configuration; a third one is broken."""
    good, broken = tmp_path / "newsletter.conf", tmp_path / "broken.conf"
    good.write_text(f'MAILDROP_HOME="{tmp_path}"\nMAILDROP_PASSWORD="tell nobody"\n')
    broken.write_text(f'MAILDROP_HOME="{tmp_path}"\nSMTP_PORT=many\n')
    list_configurations(newsletter=good, broken=broken)
    return "newsletter"


def settings(site):
    transaction.begin()
    mail_host = site.MailHost
    return mail_host.title, mail_host.getConfigKey(), mail_host.isTransactional()


def test_volto_gets_schema_and_settings(rest, site, newsletter):
    answer = rest.get(SETTINGS)

    assert answer.status_code == 200
    panel = answer.json()
    assert panel["@id"].endswith("/plone/@controlpanels/maildrophost")
    assert panel["title"] == "Maildrop Host"
    assert panel["data"] == {
        "title": site.MailHost.title,
        "configuration": "DEFAULT",
        "transactional": True,
    }
    schema = panel["schema"]
    assert schema["fieldsets"][0]["fields"] == [
        "title",
        "configuration",
        "transactional",
    ]
    assert schema["required"] == ["configuration"]
    configuration = schema["properties"]["configuration"]
    assert configuration["enum"] == ["DEFAULT", "newsletter", "broken"]
    # Volto asks for choices elsewhere when a vocabulary is named.
    assert "vocabulary" not in configuration
    assert "tell nobody" not in answer.text


def test_the_list_of_control_panels_has_ours_and_its_link_works(rest):
    panels = {each["title"]: each for each in rest.get("@controlpanels").json()}

    ours = panels["Maildrop Host"]
    assert ours["group"] == "Add-on Configuration"
    assert rest.get(ours["@id"]).status_code == 200


def test_volto_saves_what_it_was_shown(rest, site, newsletter):
    shown = rest.get(SETTINGS).json()["data"]

    wanted = {**shown, "title": "Letters", "configuration": newsletter}
    answer = rest.patch(SETTINGS, json={**wanted, "transactional": False})

    assert answer.status_code == 204, answer.text
    assert settings(site) == ("Letters", newsletter, False)


def test_what_is_not_sent_stays(rest, site, newsletter):
    answer = rest.patch(SETTINGS, json={"title": "Letters", "transactional": False})

    assert answer.status_code == 204, answer.text
    assert rest.patch(SETTINGS, json={"configuration": newsletter}).status_code == 204
    assert settings(site) == ("Letters", newsletter, False)


def test_a_choice_may_come_as_token_and_title(rest, site, newsletter):
    choice = {"token": newsletter, "title": "Newsletter"}

    assert rest.patch(SETTINGS, json={"configuration": choice}).status_code == 204
    assert settings(site)[1] == newsletter


def test_no_title_is_an_empty_one(rest, site):
    assert rest.patch(SETTINGS, json={"title": None}).status_code == 204
    assert settings(site)[0] == ""


def test_without_a_choice_the_mode_is_the_safe_one(rest, site):
    rest.patch(SETTINGS, json={"transactional": False})

    answer = rest.patch(SETTINGS, json={"transactional": None})

    assert answer.status_code == 204, answer.text
    assert settings(site)[2] is True


@pytest.mark.parametrize("sent", [False, 0, True, 1])
def test_the_mode_may_be_sent_as_a_number(rest, site, sent):
    rest.patch(SETTINGS, json={"transactional": not sent})

    answer = rest.patch(SETTINGS, json={"transactional": sent})

    assert answer.status_code == 204, answer.text
    assert settings(site)[2] is bool(sent)


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"configuration": "nowhere"}, "known: DEFAULT, newsletter, broken"),
        ({"configuration": "/etc/maildrop.conf"}, "known: DEFAULT, newsletter, broken"),
        ({"configuration": "broken"}, "broken.conf:2: SMTP_PORT"),
        ({"configuration": None}, "Required input is missing."),
        ({"configuration": ["newsletter"]}, "known: DEFAULT, newsletter, broken"),
        ({"configuration": {"title": "x"}}, "known: DEFAULT, newsletter, broken"),
        ({"title": "two\nlines"}, "Constraint not satisfied"),
        ({"title": 5}, "title"),
        ({"transactional": "perhaps"}, "transactional"),
    ],
)
def test_one_wrong_setting_has_all_of_them_refused(rest, site, newsletter, sent, said):
    before = settings(site)

    answer = rest.patch(SETTINGS, json={"title": "Changed", **sent})

    assert answer.status_code == 400
    assert said in answer.json()["message"]
    assert settings(site) == before


@pytest.mark.parametrize(
    "body",
    ["no json", "[]", '"text"', pytest.param("[" * 100_000, id="nested too deeply")],
)
def test_a_body_that_is_no_object_is_refused(rest, site, body):
    # As the bare application/json, plone.restapi reads it before us, for a login.
    headers = {"Content-Type": "application/json; charset=utf-8"}
    answer = rest.patch(SETTINGS, data=body, headers=headers)

    assert answer.status_code == 400


def test_another_mailhost_has_no_such_settings(rest, site, replaced):
    answers = [rest.get(SETTINGS), rest.patch(SETTINGS, json={"title": "x"})]

    assert [each.status_code for each in answers] == [409, 409]
    assert all("not a Maildrop Host" in each.json()["message"] for each in answers)
    transaction.begin()
    assert site.MailHost.title != "x"


def test_a_site_without_the_addon_has_no_such_panel(rest, uninstalled):
    assert rest.get(SETTINGS).status_code == 404
    titles = [each["title"] for each in rest.get("@controlpanels").json()]
    assert "Maildrop Host" not in titles


def test_every_member_of_a_panel_is_there(site):
    panel = MaildropHostControlpanel(site, site.REQUEST)

    assert IControlpanel.providedBy(panel)
    assert (panel.title, panel.group) == ("Maildrop Host", "Add-on Configuration")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"configuration": "nowhere"}, "Diese Auswahl gibt es nicht; bekannt: DEFAULT"),
        ({"configuration": "broken"}, "SMTP_PORT: erwartet: eine ganze Zahl von 1 bis"),
    ],
)
def test_a_german_is_refused_in_german(rest, site, newsletter, sent, said):
    api.portal.set_registry_record("plone.available_languages", ["en", "de"])
    api.portal.set_registry_record("plone.use_request_negotiation", True)
    transaction.commit()

    answer = rest.patch(SETTINGS, json=sent, headers={"Accept-Language": "de"})

    assert answer.status_code == 400
    assert said in answer.json()["message"]
