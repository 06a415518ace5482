"""What `check` says of the configuration's file, and of who can read its secrets."""

from __future__ import annotations

import pytest
from engine.cli.checks.findings import failed, fine

from collective.maildrophost.engine.cli.checks import Level, configurationfile


def test_a_configuration_with_an_error_is_named_and_ends_with_2(site):
    site.configure(SMTP_PORT="x")
    ended = site.ctl("check")
    assert ended.status == 2
    assert ended.out.startswith("failed ")
    assert "SMTP_PORT" in ended.out
    assert site.ctl("check", "--json").json[0]["level"] == "failed"


def test_a_warning_of_the_configuration_is_a_warning(site):
    site.configure(SMTP_HOSTS="x")
    ended = site.ctl("check", "--json")
    assert ended.json[0]["level"] == "warning"
    assert "SMTP_HOST" in ended.json[0]["text"]
    assert ended.err == ""


def test_a_password_that_everybody_can_read_fails(site):
    site.configure(MAILDROP_LOGIN="me", MAILDROP_PASSWORD="hush")
    site.path.chmod(0o644)
    assert "chmod 600" in failed(site, "configuration")


def test_a_password_of_the_environment_is_not_in_the_file(site):
    site.path.chmod(0o644)
    secrets = {"MAILDROP_LOGIN": "me", "MAILDROP_PASSWORD": "hush"}
    assert fine(site, "configuration", **secrets) == [f"{site.path} is valid"]


def test_a_password_of_the_queue_that_everybody_can_read_fails(site):
    site.configure(MAILDROP_QUEUE="postgresql+psycopg://me:hush@127.0.0.1:1/db")
    site.path.chmod(0o644)
    assert "chmod 600" in failed(site, "configuration")


def test_a_password_file_that_everybody_can_read_fails(site):
    secret = site.home / "secret"
    secret.write_text("hush\n")
    secret.chmod(0o644)
    site.configure(MAILDROP_LOGIN="me", MAILDROP_PASSWORD_FILE=secret)
    text = failed(site, "configuration")
    assert str(secret) in text
    assert "hush" not in site.ctl("check").out


@pytest.mark.parametrize("name", ["CLIENT_SECRET", "REFRESH_TOKEN"])
@pytest.mark.parametrize(
    ("mode", "advice"), [(0o604, "chmod 600"), (0o602, "chmod o-w")]
)
def test_a_file_of_a_login_with_tokens_that_is_not_private_fails(
    site, name, mode, advice
):
    secret = site.home / "secret"
    secret.write_text("hush\n")
    secret.chmod(mode)
    site.configure(
        MAILDROP_AUTH="xoauth2",
        MAILDROP_LOGIN="me",
        MAILDROP_OAUTH_TOKEN_URL="https://127.0.0.1:1/token",
        MAILDROP_OAUTH_CLIENT_ID="id",
        **{f"MAILDROP_OAUTH_{name}_FILE": secret},
    )
    found = configurationfile.check(site.configuration)
    (bad,) = [each.text for each in found if each.level is Level.FAILED]
    assert bad.endswith(f"{advice} {secret}")


def test_a_configuration_without_a_secret_may_be_read(site):
    site.path.chmod(0o644)
    assert fine(site, "configuration") == [f"{site.path} is valid"]


def test_a_configuration_that_cannot_be_read_is_named_and_ends_with_2(site):
    site.path.unlink()
    site.path.mkdir()
    ended = site.ctl("check")
    site.path.rmdir()
    site.configure()
    assert ended.status == 2
    assert "expected a readable configuration file" in ended.out
    assert str(site.path) in ended.out


def test_a_configuration_that_everybody_can_change_fails(site):
    site.path.chmod(0o646)
    assert "chmod o-w" in failed(site, "configuration")
