"""Every command of docs/buildout.md works, in the order it is written."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest
from recipe.conftest import BUILDOUT, PROJECT, RUN_SECONDS, clean_environment
from servers.catcher import Catcher

PAGE = PROJECT / "docs" / "buildout.md"

# No systemd runs where these tests do: the real systemctl works on the files of a
# system in a folder, all that needs the running one is left out.
SYSTEMCTL = """\
#!/bin/sh
test "$1" = daemon-reload && exec {analyze} verify --man=no {root}/etc/systemd/system/*
test "$2" = --now && exec {systemctl} --root={root} "$1" "$3"
exec false
"""
SUDO = '#!/bin/sh\nexec "$@"\n'


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    lines = "".join(blocks).splitlines()
    assert lines
    assert all(line.startswith("$ ") for line in lines)
    return [line[2:] for line in lines]


@pytest.fixture
def shell(room, tmp_path):
    """Runs a line of the page in a buildout, on the files of another system."""
    root = tmp_path / "root"
    for folder in ("etc/systemd/system", "etc/logrotate.d"):
        (root / folder).mkdir(parents=True)
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, text in (
        ("sudo", SUDO),
        (
            "systemctl",
            SYSTEMCTL.format(
                root=root,
                systemctl=shutil.which("systemctl"),
                analyze=shutil.which("systemd-analyze"),
            ),
        ),
    ):
        (programs / name).write_text(text)
        (programs / name).chmod(0o755)

    def run(line: str) -> subprocess.CompletedProcess[str]:
        environ = clean_environment()
        return subprocess.run(
            ["sh", "-c", line.replace(" /etc/", f" {root}/etc/")],
            cwd=room.folder,
            env={**environ, "PATH": f"{programs}{os.pathsep}{environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )

    return run


def test_every_command_on_the_page_works(room, shell, tmp_path):
    with Catcher() as catcher:
        room.write(
            f"""
            [maildrop]
            recipe = collective.recipe.maildrophost
            smtp-host = 127.0.0.1:{catcher.port}
            """
        )
        (room / "bin").mkdir()
        (room / "bin/buildout").symlink_to(BUILDOUT)
        try:
            for line in commands():
                ended = shell(line)
                assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"
        finally:
            room.script("maildrop-stop")
    system = tmp_path / "root/etc"
    wanted = system / "systemd/system/multi-user.target.wants/maildrop.service"
    assert wanted.is_symlink()
    assert (system / "logrotate.d/maildrop").exists()


def test_the_page_names_every_option_of_the_recipe_alone():
    from collective.recipe.maildrophost.options import OF_THE_SYSTEM

    text = PAGE.read_text()
    for option in OF_THE_SYSTEM:
        assert f"| `{option.name}` |" in text
