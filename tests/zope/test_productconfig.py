"""zope.conf lists the configurations; their files are read as they are now."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import transaction
from App.config import getConfiguration, setConfiguration
from Products.MailHost.MailHost import MailHostError
from Zope2.Startup.options import ZopeWSGIOptions

from collective.maildrophost import productconfig
from collective.maildrophost.engine.config import ConfigurationError
from collective.maildrophost.host import MaildropHost

ZOPE_CONF = """\
instancehome {instance}
<zodb_db main>
  mount-point /
  <mappingstorage>
  </mappingstorage>
</zodb_db>
<product-config maildrophost>
  config-path-zz {instance}/zz.conf
  config-path-NewsLetter {instance}/newsletter.conf
</product-config>
"""


@pytest.fixture
def instance(tmp_path, monkeypatch):
    """The directory of a Zope whose zope.conf lists zz and NewsLetter."""
    monkeypatch.delenv(productconfig.ENVIRONMENT, raising=False)
    for name in ("zz", "newsletter"):
        (tmp_path / f"{name}.conf").write_text(f'MAILDROP_HOME="{tmp_path}/{name}"\n')
    zope_conf = tmp_path / "zope.conf"
    zope_conf.write_text(ZOPE_CONF.format(instance=tmp_path))
    before = getConfiguration()
    setConfiguration(ZopeWSGIOptions(str(zope_conf))().configroot)
    yield tmp_path
    setConfiguration(before)


def test_the_keys_are_what_follows_config_path(instance):
    assert MaildropHost().getCandidateConfigPaths() == (
        ("DEFAULT", f"{instance}/zz.conf"),
        ("zz", f"{instance}/zz.conf"),
        ("newsletter", f"{instance}/newsletter.conf"),
    )


def test_the_first_is_the_default(instance):
    assert MaildropHost().getConfigKey() == "DEFAULT"
    assert MaildropHost().getConfigPath() == f"{instance}/zz.conf"


def test_the_environment_wins_as_default(instance, monkeypatch):
    monkeypatch.setenv("MAILDROP_CONFIG", "/elsewhere.conf")
    assert MaildropHost().getConfigPath() == "/elsewhere.conf"
    assert dict(MaildropHost().getCandidateConfigPaths())["zz"] == f"{instance}/zz.conf"


def test_a_host_uses_the_configuration_of_its_key(instance):
    host = MaildropHost()
    host.setConfigPath("newsletter")
    assert host.getConfigPath() == f"{instance}/newsletter.conf"
    assert host._configuration().home == instance / "newsletter"


def test_the_full_name_of_zope_conf_is_a_key_too(instance):
    host = MaildropHost()
    host.setConfigPath("config-path-newsletter")
    assert host.getConfigKey() == "newsletter"


@pytest.mark.parametrize("key", ["NewsLetter", "config-path-NewsLetter"])
def test_a_key_may_be_spelt_as_zope_conf_spells_it(instance, key):
    """ZConfig makes it lower case, which nobody sees there."""
    host = MaildropHost()
    host.setConfigPath(key)
    assert host.getConfigKey() == "newsletter"
    assert host.getConfigPath() == f"{instance}/newsletter.conf"


def test_a_path_is_no_key(instance):
    host = MaildropHost()
    with pytest.raises(ValueError, match="DEFAULT, zz, newsletter"):
        host.setConfigPath(f"{instance}/newsletter.conf")
    assert host.getConfigKey() == "DEFAULT"


@pytest.mark.parametrize("key", [None, 5, ["newsletter"], b"newsletter", ""])
def test_a_value_that_is_no_text_is_no_key(instance, key):
    with pytest.raises(ValueError, match="DEFAULT, zz, newsletter"):
        MaildropHost().setConfigPath(key)


def test_a_file_that_cannot_be_used_is_a_valueerror_with_line_and_option(instance):
    (instance / "newsletter.conf").write_text('MAILDROP_HOME="/x"\nSMTP_PORT=many\n')
    host = MaildropHost()
    with pytest.raises(ValueError, match=r"newsletter\.conf:2: SMTP_PORT"):
        host.setConfigPath("newsletter")
    assert host.getConfigKey() == "DEFAULT"


def test_a_missing_file_is_a_valueerror(instance):
    (instance / "newsletter.conf").unlink()
    with pytest.raises(ValueError, match=r"newsletter\.conf"):
        MaildropHost().setConfigPath("newsletter")


def test_a_program_may_list_more(instance, configuration_file):
    host = MaildropHost()
    host.addConfigPath("added", str(configuration_file))
    host.setConfigPath("added")
    assert host.getConfigPath() == str(configuration_file)


def test_a_program_may_list_a_path_object(instance, configuration_file):
    host = MaildropHost()
    host.addConfigPath("added", Path(configuration_file))
    assert ("added", str(configuration_file)) in host.getCandidateConfigPaths()


def test_a_program_may_list_it_by_the_full_name_of_zope_conf(
    instance, configuration_file
):
    host = MaildropHost()
    host.addConfigPath("config-path-added", str(configuration_file))
    assert ("added", str(configuration_file)) in host.getCandidateConfigPaths()
    for key in ("added", "config-path-added"):
        host.setConfigPath(key)
        assert host.getConfigKey() == "added"


@pytest.mark.parametrize("key", ["", "config-path-", None, 1])
def test_nothing_is_listed_without_a_key(instance, configuration_file, key):
    host = MaildropHost()
    before = host.getCandidateConfigPaths()
    with pytest.raises(ValueError, match="a key such as newsletter"):
        host.addConfigPath(key, str(configuration_file))
    assert host.getCandidateConfigPaths() == before


def test_what_is_listed_as_the_default_gives_way_to_the_environment(
    instance, configuration_file, monkeypatch
):
    monkeypatch.delenv("MAILDROP_CONFIG")
    host = MaildropHost()
    host.addConfigPath("DEFAULT", "/listed.conf")
    assert host.getCandidateConfigPaths()[0] == ("DEFAULT", "/listed.conf")
    monkeypatch.setenv("MAILDROP_CONFIG", str(configuration_file))
    assert host.getConfigPath() == str(configuration_file)
    assert [key for key, _ in host.getCandidateConfigPaths()].count("DEFAULT") == 1


def test_a_key_that_is_no_longer_listed_says_so_when_sending(instance, send):
    host = MaildropHost()
    host.setConfigPath("newsletter")
    getConfiguration().product_config["maildrophost"].pop("config-path-newsletter")
    assert host.getConfigPath() == ""
    with pytest.raises(MailHostError, match="'newsletter'; known: DEFAULT, zz"):
        send(host)


def test_without_any_configuration_the_error_tells_what_to_do(monkeypatch, send):
    monkeypatch.delenv(productconfig.ENVIRONMENT, raising=False)
    with pytest.raises(MailHostError, match=r"none at all.*maildrophost>"):
        send(MaildropHost())


def test_a_file_is_read_once_while_it_stays_the_same(configuration_file):
    first = productconfig.configuration("DEFAULT")
    assert productconfig.configuration("DEFAULT") is first


@pytest.mark.parametrize("how", ["edited", "replaced"])
def test_a_changed_file_is_noticed(configuration_file, how):
    text = configuration_file.read_text()
    configuration_file.write_text(text + "MAILDROP_BATCH=1\n")
    assert productconfig.configuration("DEFAULT").batch == 1
    before = configuration_file.stat()
    if how == "edited":
        configuration_file.write_text(text + "MAILDROP_BATCH=2\n")
        os.utime(configuration_file, ns=(0, before.st_mtime_ns + 1))
    else:
        new = configuration_file.with_suffix(".new")
        new.write_text(text + "MAILDROP_BATCH=2\n")
        os.utime(new, ns=(0, before.st_mtime_ns))
        new.replace(configuration_file)
    assert productconfig.configuration("DEFAULT").batch == 2


def test_a_changed_queue_is_used_from_the_next_mail_on(
    configuration_file, configuration, host, send, subjects
):
    send(host, "to the first")
    transaction.commit()
    other = configuration.home / "other.db"
    with configuration_file.open("a") as file:
        file.write(f"MAILDROP_QUEUE=sqlite:///{other}\n")
    send(host, "to the other")
    transaction.commit()
    assert subjects() == [("to the first", "queued")]
    assert other.exists()


def test_two_queues_may_share_a_transaction(
    configuration_file, configuration, host, send, subjects, tmp_path
):
    second = tmp_path / "second.conf"
    second.write_text(f'MAILDROP_HOME="{tmp_path}/second"\n')
    (tmp_path / "second").mkdir()
    newsletter = MaildropHost("newsletter")
    newsletter.addConfigPath("second", str(second))
    newsletter.setConfigPath("second")
    send(host, "one")
    send(newsletter, "two")
    transaction.commit()
    assert subjects() == [("one", "queued")]
    assert newsletter.queueLength() == 1


def test_a_broken_file_is_an_error_until_it_is_mended(configuration_file):
    text = configuration_file.read_text()
    configuration_file.write_text(text + "MAILDROP_BATCH=many\n")
    for _ in range(2):
        with pytest.raises(ConfigurationError, match="MAILDROP_BATCH"):
            productconfig.configuration("DEFAULT")
    configuration_file.write_text(text)
    assert productconfig.configuration("DEFAULT").batch == 0
