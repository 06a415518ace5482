"""``bin/instance maildrop …`` of an instance of plone.recipe.zope2instance."""

from __future__ import annotations

import json
import subprocess
from threading import Timer

import pytest
from recipe.conftest import RUN_SECONDS, clean_environment
from servers.catcher import Catcher

KEYS = ("main", "newsletter")
INSTANCE = """
[instance]
recipe = plone.recipe.zope2instance
user = admin:admin
eggs = collective.maildrophost[zope]
zodb-temporary-storage = off
zope-conf-additional =
    <product-config maildrophost>{listed}
    </product-config>
"""


@pytest.fixture
def instance(room):
    """Builds an instance whose zope.conf lists the named configurations."""
    with Catcher() as catcher:
        for key in KEYS:
            path = room / f"{key}.conf"
            path.write_text(
                f"MAILDROP_HOME='{room / key}'\n"
                f"SMTP_HOST='127.0.0.1'\nSMTP_PORT={catcher.port}\n"
            )
            path.chmod(0o600)

        def build(*keys: str) -> None:
            listed = [f"\n      config-path-{key} {room / key}.conf" for key in keys]
            room.built(INSTANCE.format(listed="".join(listed)), parts="instance")

        yield build


def said(room, *arguments: str) -> str:
    ended = room.script("instance", "maildrop", *arguments)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_only_configuration_need_not_be_named(instance, room):
    instance("main")
    assert room.script("instance", "maildrop", "status").returncode == 1
    try:
        assert "started, pid" in said(room, "start")
        assert json.loads(said(room, "status", "--json"))["running"] is True
    finally:
        assert "stopped, pid" in said(room, "stop")


def test_one_of_several_configurations_is_named_and_blanks_survive(instance, room):
    instance(*KEYS)
    sent = room.run(
        "/bin/sh",
        "-c",
        "printf 'Subject: two words\\n\\nbody\\n' | bin/instance maildrop newsletter"
        " send -f 'Some Body <a@example.org>' b@example.org",
    )
    assert sent.returncode == 0, sent.stderr
    (message,) = json.loads(said(room, "newsletter", "queue", "--json"))
    assert (message["sender"], message["subject"]) == ("a@example.org", "two words")
    assert json.loads(said(room, "main", "queue", "--json")) == []
    wrong = room.script("instance", "maildrop", "newletter", "queue")
    assert wrong.returncode == 1
    assert "did you mean newsletter?" in wrong.stderr


def test_it_works_at_the_prompt_of_the_instance(instance, room):
    instance(*KEYS)
    prompt = subprocess.Popen(
        [room / "bin/instance"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=clean_environment(),
    )
    # It never ends by itself.
    watch = Timer(RUN_SECONDS, prompt.kill)
    watch.start()
    try:
        prompt.stdin.write('maildrop "newsletter" queue --json\n')
        prompt.stdin.flush()
        assert "instance> []\n" in iter(prompt.stdout.readline, "")
    finally:
        watch.cancel()
        prompt.kill()
        prompt.communicate()
