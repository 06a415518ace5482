"""The daemon's image and the compose file, tried as far as that goes without an engine.

The steps of the Dockerfile run in a virtual environment; what its image and the compose
file say is in force for a daemon process.
"""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from containers.image import DOCKERFILE, FOLDER, PROJECT, Container, Image, stages
from servers.catcher import Catcher
from waiting import PATIENCE_SECONDS, wait_until

from collective.maildrophost.engine.config import OPTIONS
from collective.maildrophost.engine.queue.postgresql.connection import CONNECT_SECONDS

PAGE = PROJECT / "docs" / "containers.md"
PASSWORD = "c4n4ry-pAssw0rd"
SLOWEST_START_SECONDS = 10.0
"""Of a command, on a machine that is busy."""

pytestmark = pytest.mark.xdist_group("containers")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((FOLDER / "compose.yaml").read_text())


@pytest.fixture
def relay() -> Iterator[Catcher]:
    with Catcher(tls="required", login=("site", PASSWORD)) as relay:
        yield relay


@pytest.fixture
def environ(compose, image: Image, relay: Catcher) -> dict[str, str]:
    """What the compose file gives to the daemon, with a relay that is here."""
    service = compose["services"]["maildrop"]
    (secret,) = service["secrets"]
    given = {name: image.inside(text) for name, text in service["environment"].items()}
    file = Path(given["MAILDROP_PASSWORD_FILE"])
    assert file == image.root / "run/secrets" / secret
    file.write_text(f"{PASSWORD}\n")
    assert given["SMTP_HOST"] == "relay.example.org"
    return {
        **given,
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(relay.port),
        "MAILDROP_TLS_CA_FILE": relay.ca_file,
    }


@pytest.fixture
def container(image, environ) -> Iterator[Container]:
    container = image.run(environ)
    try:
        wait_until(container.is_healthy, what="its health")
        yield container
    finally:
        container.process.kill()
        container.process.wait()


def test_the_container_sends_mail_logs_to_the_console_and_stops_in_time(
    compose, container, relay
):
    sent = container.image.call(
        "printf 'Subject: hello\\n\\nbody\\n'"
        " | maildropctl send -f a@example.org b@example.org",
        container.environ,
    )
    assert sent.returncode == 0, sent.stderr
    (mail,) = relay.wait_for(1)
    assert (mail.login, mail.tls) == ("site", True)
    wait_until(lambda: " sent " in container.console, what="the line in the log")
    assert container.stop(grace_seconds(compose)) == 0
    assert not container.is_healthy()
    assert PASSWORD not in container.console


def test_another_configuration_is_taken_on_a_signal(container):
    container.process.send_signal(signal.SIGHUP)
    wait_until(lambda: container.console.count(" started, ") == 2, what="a reload")
    assert container.process.poll() is None
    assert container.is_healthy()


def test_the_engine_waits_for_the_mails_in_flight(compose):
    environment = compose["services"]["maildrop"]["environment"]
    assert grace_seconds(compose) >= float(environment["MAILDROP_STOP_TIMEOUT"]) + 10


def grace_seconds(compose) -> float:
    period = compose["services"]["maildrop"]["stop_grace_period"]
    return float(period.removesuffix("s"))


def test_a_host_of_the_queue_that_is_gone_makes_no_container_unhealthy():
    daemon = stages(DOCKERFILE.read_text())["maildrop"]
    (check,) = daemon.all("HEALTHCHECK")
    (seconds,) = re.findall(r"--timeout=(\d+)s", check)
    assert int(seconds) > CONNECT_SECONDS + SLOWEST_START_SECONDS


def test_both_images_share_user_home_and_configuration():
    backend, daemon = (
        stages(DOCKERFILE.read_text())[n] for n in ("backend", "maildrop")
    )
    assert daemon.all("USER") == ["500:500"]
    assert backend.all("ENV") == daemon.all("ENV")
    assert backend.all("VOLUME") == daemon.all("VOLUME") == ["/mail"]
    for stage in (backend, daemon):
        (steps,) = stage.all("RUN")
        assert "install -d -o 500 -g 500 -m 0700 /mail" in steps
        assert "maildropctl init /etc/maildrop.conf --home /mail" in steps


def test_the_images_install_extras_that_exist():
    declared = set(
        re.findall(r'(?m)^        "(\w+)": ', (PROJECT / "setup.py").read_text())
    )
    for stage in stages(DOCKERFILE.read_text()).values():
        (extras,) = re.findall(r"MAILDROPHOST}\[([\w,]+)\]", "".join(stage.all("RUN")))
        assert set(extras.split(",")) <= declared


def test_the_compose_file_uses_what_it_declares(compose):
    targets = stages(DOCKERFILE.read_text())
    for name, service in compose["services"].items():
        assert service["build"]["target"] == name
        assert name in targets
        mounts = dict(mount.split(":") for mount in service["volumes"])
        assert set(mounts) <= set(compose["volumes"])
        assert mounts["mail"] == "/mail"
        assert set(service.get("secrets", ())) <= set(compose["secrets"])
    known = {option.name for option in OPTIONS}
    assert set(compose["services"]["maildrop"]["environment"]) <= known
    assert not known & set(compose["services"]["backend"]["environment"])


def commands() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", PAGE.read_text(), re.DOTALL)
    return [line.removeprefix("$ ") for line in "".join(blocks).splitlines()]


def test_every_command_on_the_page_works(image, environ, tmp_path):
    """`docker compose` as far as it concerns the daemon; the rest is for the engine."""
    running: list[Container] = []
    exported: dict[str, str] = {}
    try:
        for line in commands():
            carry_out(line, image, environ, tmp_path, running, exported)
    finally:
        for container in running:
            container.process.kill()
            container.process.wait()
    assert len(running) == 1


def carry_out(line, image, environ, folder, running, exported) -> None:
    words = line.split()
    if words[:2] == ["docker", "compose"]:
        return in_compose(words[2:], line, image, environ, running)
    line = line.replace("/srv/mail", str(folder))
    if words[0] == "export":
        name, _, value = line.removeprefix("export ").partition("=")
        exported[name] = value
        return None
    # The environment of the image is not this machine's.
    ended = image.call(
        line, {"MAILDROP_CONFIG": "", "SMTP_HOST": "127.0.0.1", **exported}
    )
    assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"


def in_compose(words, line, image, environ, running) -> None:
    match words:
        case ["build"]:
            assert (image.root / "bin/maildropctl").exists()
        case ["up", "--detach"]:
            running.append(image.run(environ))
            wait_until(running[0].is_healthy, what="its health")
        case ["exec", "maildrop", *_]:
            command = line.partition(" exec maildrop ")[2]
            ended = image.call(command, environ)
            assert ended.returncode == 0, f"{line}\n{ended.stdout}{ended.stderr}"
        case ["logs", "maildrop"]:
            assert " started, " in running[0].console
        case ["kill", "--signal", "HUP", "maildrop"]:
            running[0].process.send_signal(signal.SIGHUP)
        case ["stop", "maildrop"]:
            assert running[0].stop(PATIENCE_SECONDS) == 0
        case _:
            raise AssertionError(f"nobody has tried: {line}")


def test_systemd_takes_the_unit_of_the_page(tmp_path):
    (unit,) = re.findall(r"```ini\n(.*?)```", PAGE.read_text(), re.DOTALL)
    program = tmp_path / "maildropctl"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    path = tmp_path / "maildrop.service"
    path.write_text(
        unit.replace("/srv/site/bin/maildropctl", str(program)).replace(
            "User=plone", "User=root"
        )
    )
    verified = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(path)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
    )
    assert (verified.returncode, verified.stderr) == (0, "")
