"""A database with objects of Products.MaildropHost has ours after zodbupdate."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest
import transaction
import ZODB
import ZODB.FileStorage
from persistent import Persistent

from collective.maildrophost import productconfig
from collective.maildrophost.host import MaildropHost

OLD_MODULE = "Products.MaildropHost.MaildropHost"
# What an object of Products.MaildropHost 2.3 stores.
STATE = {
    "id": "OurMail",
    "title": "Our mail",
    "_transactional": False,
    "smtp_host": "relay.example.org",
    "smtp_port": 25,
    "debug": "Off",
    "_debug_receiver": "",
    "debug_receiver": "(not set)",
    "polling": 120,
    "spool": "/srv/maildrop/spool",
    "use_tls": "No",
    "login": "me",
    "password": "******",
    "add_messageid": "Off",
    "maildrop_log_file": "/srv/maildrop/var/maildrop.log",
}


@pytest.fixture
def newsletter(list_configurations, tmp_path, configuration_file):
    """The path of a configuration that zope.conf lists."""
    path = tmp_path / "newsletter.conf"
    path.write_text(f'MAILDROP_HOME="{tmp_path}"\n')
    list_configurations(newsletter=path)
    return str(path)


@pytest.fixture
def database(tmp_path, monkeypatch):
    """Writes an old object with a state into a new database; its path."""

    def write(state) -> str:
        old = type("MaildropHost", (Persistent,), {"__module__": OLD_MODULE})
        module = types.ModuleType(OLD_MODULE)
        module.MaildropHost = old
        with monkeypatch.context() as patch:
            patch.setitem(sys.modules, OLD_MODULE, module)
            path = str(tmp_path / "Data.fs")
            db = ZODB.DB(ZODB.FileStorage.FileStorage(path))
            with db.transaction() as connection:
                host = old()
                vars(host).update(state)
                connection.root()["host"] = host
            db.close()
        return path

    return write


def updated(path: str):
    """The object in the database, after zodbupdate has gone over it."""
    subprocess.run(
        [sys.executable, "-c", "import zodbupdate.main as m; m.main()", "-f", path],
        check=True,
        capture_output=True,
    )
    db = ZODB.DB(ZODB.FileStorage.FileStorage(path))
    host = db.open().root()["host"]
    host._p_activate()
    return db, host


def test_an_old_object_is_one_of_ours_with_its_settings(database, newsletter):
    db, host = updated(database({**STATE, "config_path": newsletter}))
    try:
        assert type(host) is MaildropHost
        assert (host.id, host.title) == ("OurMail", "Our mail")
        assert not host.isTransactional()
        assert host.getConfigKey() == "newsletter"
        assert host.getConfigPath() == newsletter
    finally:
        transaction.abort()
        db.close()


def test_nothing_of_the_configuration_file_is_kept_in_the_object(database, newsletter):
    db, host = updated(database({**STATE, "config_path": newsletter}))
    try:
        kept = {"id", "title", "_transactional", "_config_key"}
        assert set(vars(host)) == kept | {"smtp_host", "smtp_port"}
    finally:
        transaction.abort()
        db.close()


def test_a_path_that_is_not_listed_is_remembered_until_it_is(
    database, newsletter, list_configurations
):
    path = database({**STATE, "config_path": "/elsewhere/maildrop.conf"})
    db, host = updated(path)
    try:
        assert host.getConfigKey() == "DEFAULT"
        list_configurations(old="/elsewhere/maildrop.conf")
        host._p_invalidate()
        assert host.getConfigKey() == "old"
    finally:
        transaction.abort()
        db.close()


def test_a_path_that_is_the_default_has_its_own_key(newsletter, monkeypatch):
    monkeypatch.delenv(productconfig.ENVIRONMENT)
    host = MaildropHost()
    host.__setstate__({**STATE, "config_path": newsletter})
    assert productconfig.configurations()["DEFAULT"] == newsletter
    assert host.getConfigKey() == "newsletter"


def test_a_path_that_only_the_environment_names_is_remembered(
    newsletter, list_configurations, monkeypatch
):
    monkeypatch.setenv(productconfig.ENVIRONMENT, "/elsewhere/maildrop.conf")
    host = MaildropHost()
    host.__setstate__({**STATE, "config_path": "/elsewhere/maildrop.conf"})
    assert host.getConfigPath() == "/elsewhere/maildrop.conf"
    monkeypatch.setenv(productconfig.ENVIRONMENT, newsletter)
    list_configurations(old="/elsewhere/maildrop.conf")
    host.__setstate__(host.__getstate__())
    assert host.getConfigKey() == "old"


@pytest.mark.parametrize("key", ["newsletter", "DEFAULT"])
def test_a_key_that_was_chosen_since_stays(newsletter, list_configurations, key):
    path = {"config_path": "/elsewhere/maildrop.conf"}
    host = MaildropHost()
    host.__setstate__({**STATE, **path})
    host.setConfigPath(key)
    assert "config_path" not in vars(host)
    list_configurations(newsletter=newsletter, old=path["config_path"])
    # The second has been stored with the path beside the key.
    for state in (host.__getstate__(), {**vars(host), **path}):
        loaded = MaildropHost()
        loaded.__setstate__(state)
        assert loaded.getConfigKey() == key
        assert "config_path" not in vars(loaded)


def test_our_own_state_is_left_alone(newsletter):
    host = MaildropHost("MailHost", "ours")
    host.setConfigPath("newsletter")
    copy = MaildropHost()
    copy.__setstate__(host.__getstate__())
    assert vars(copy) == vars(host)
