"""The systemd unit of a daemon, as systemd reads it."""

from __future__ import annotations

import shlex
import socket
import subprocess
import tempfile
from collections import defaultdict
from pathlib import Path

import pytest
from recipe.conftest import RUN_SECONDS, clean_environment
from servers.catcher import Catcher

PASSWORD = "c4n4ry-pAssw0rd"
ONE = """
[maildrop]
recipe = collective.recipe.maildrophost
smtp-host = 127.0.0.1:1
"""
TWO = """
[maildrop]
recipe = collective.recipe.maildrophost
daemons = main newsletter
stop-timeout = 7.5

[newsletter]
stop-timeout =
"""
UNIT = "parts/maildrop/maildrop.service"
WORST_EXPOSURE = 30
"""Tenths: up to 3.0 systemd calls a unit OK or better; one without settings has 9.6."""


def analyze(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["systemd-analyze", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )


def assert_valid(unit: Path) -> None:
    verified = analyze("verify", "--man=no", "--recursive-errors=no", unit)
    assert (verified.returncode, verified.stderr) == (0, "")


def settings(room, path: str = UNIT) -> dict[str, list[str]]:
    """Every setting of a unit with its values, lists taken apart."""
    found = defaultdict(list)
    for line in room.text(path).splitlines():
        if line and not line.startswith(("#", "[")):
            name, _, value = line.partition("=")
            found[name].extend(shlex.split(value.replace("%%", "%")))
    return found


@pytest.mark.parametrize(
    ("sections", "names"),
    [
        (ONE, ["maildrop"]),
        (TWO, ["maildrop-main", "maildrop-newsletter"]),
        (ONE + 'home = my mail, 100%% "of" it\n', ["maildrop"]),
        (ONE + f"home = {'deep' * 20}/{'deeper' * 20}\n", ["maildrop"]),
        (ONE + "password-file = a password\nlogin = me\n", ["maildrop"]),
    ],
)
def test_systemd_takes_the_unit(room, sections, names):
    room.built(sections.replace("%%", "%"))
    units = sorted((room / "parts/maildrop").glob("*.service"))
    assert [unit.stem for unit in units] == names
    for unit in units:
        assert_valid(unit)


def test_systemd_finds_little_that_the_daemon_could_do_to_the_machine(room):
    room.built(ONE + "user = nobody\n")
    rated = analyze(
        "security", "--offline=yes", f"--threshold={WORST_EXPOSURE}", room / UNIT
    )
    assert rated.returncode == 0, rated.stdout[-500:]
    unit = settings(room)
    assert unit["NoNewPrivileges"] == ["yes"]
    assert unit["ProtectSystem"] == ["strict"]
    assert unit["User"] == ["nobody"]


def test_a_stop_leaves_the_other_programs_of_the_user_their_shared_memory(room):
    """systemd.exec(5): RemoveIPC= removes all that the user has, once its units end."""
    room.built(ONE)
    assert "RemoveIPC" not in settings(room)


def test_systemd_watches_the_daemon_and_brings_it_back(room):
    room.built(ONE)
    unit = settings(room)
    assert unit["Type"] == ["notify"]
    # The daemon gives a sign of life at half of it.
    assert 15 <= int(unit["WatchdogSec"][0]) <= 120
    assert unit["Restart"] == ["on-failure"]
    assert unit["StartLimitIntervalSec"] == ["0"]
    assert unit["RestartPreventExitStatus"] == ["2"]


SCATTERED = f"""{ONE}
home = my mail
spool = drop;other/drop
var = var/run
log-file = log/mail.log
pid-file = pids/mail.pid
queue = sqlite:///{{folder}}/queues/main.db
oauth-refresh-token-file = tokens/refresh
"""
PLACES = (
    *("my mail", "var/run", "drop", "other/drop"),
    *("log", "pids", "queues", "tokens"),
)


def test_the_daemon_may_write_where_its_files_are_and_nowhere_else(room):
    room.built(SCATTERED.format(folder=room.folder))
    assert settings(room)["ReadWritePaths"] == [f"-{room / path}" for path in PLACES]


def test_the_daemon_starts_once_the_disks_of_its_files_are_mounted(room):
    """Else it would begin another queue in a mount point that is still empty."""
    room.built(SCATTERED.format(folder=room.folder))
    assert settings(room)["RequiresMountsFor"] == [str(room / each) for each in PLACES]


def test_nobody_elses_temporary_files_are_within_reach_however_deep_var_is(room):
    room.built(ONE + f"var = {'deep' * 30}\n")
    assert settings(room)["PrivateTmp"] == ["yes"]
    assert "/tmp" not in settings(room)["ReadWritePaths"]


def test_systemd_waits_for_the_mails_in_flight(room):
    room.built(TWO)
    main = settings(room, "parts/maildrop/maildrop-main.service")
    newsletter = settings(room, "parts/maildrop/maildrop-newsletter.service")
    assert main["TimeoutStopSec"] == ["18"]
    assert newsletter["TimeoutStopSec"] == ["40"]


def started_as_written(room, path: str = UNIT, **specifiers: str) -> str:
    """What a daemon that is started by its unit tells systemd first."""
    unit = settings(room, path)
    environ = dict(each.split("=", 1) for each in unit["Environment"])
    for name, value in environ.items():
        environ[name] = value.replace("%d", specifiers.get("d", ""))
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
    ):
        systemd.bind(f"{folder}/notify")
        systemd.settimeout(RUN_SECONDS)
        daemon = subprocess.Popen(
            unit["ExecStart"],
            env={
                **clean_environment(),
                **environ,
                "NOTIFY_SOCKET": f"{folder}/notify",
            },
        )
        try:
            said = systemd.recv(4096).decode()
            daemon.terminate()
            assert daemon.wait(RUN_SECONDS) == 0
        finally:
            daemon.kill()
            daemon.wait()
    return said


def test_the_daemon_that_the_unit_starts_is_ready(room):
    room.built(ONE)
    assert started_as_written(room).startswith("READY=1\n")


def test_the_unit_of_a_listed_daemon_starts_that_daemon(room):
    room.built(TWO + "smtp-host = bulk.example.org\n")
    path = "parts/maildrop/maildrop-newsletter.service"
    assert "STATUS=relay bulk.example.org:25" in started_as_written(room, path)


def test_the_password_comes_from_where_systemd_has_put_it(room, tmp_path):
    with Catcher(login=("site", PASSWORD)) as relay:
        room.built(
            f"""{ONE.replace(":1", f":{relay.port}")}
login = site
password-file = for-root-alone
"""
        )
        unit = settings(room)
        assert unit["LoadCredential"] == [f"password-file:{room / 'for-root-alone'}"]
        handed_over = tmp_path / "credentials"
        handed_over.mkdir()
        (handed_over / "password-file").write_text(PASSWORD)
        assert started_as_written(room, d=str(handed_over)).startswith("READY=1")
        drop = room / "var/maildrop/spool/mail"
        drop.write_text("##To:b@example.org\n##From:a@example.org\nSubject: x\n\nx\n")
        environ = {"MAILDROP_PASSWORD_FILE": str(handed_over / "password-file")}
        once = subprocess.run(
            [room / "bin/maildrop", "run", "--once"],
            env={**clean_environment(), **environ},
            timeout=RUN_SECONDS,
        )
        assert once.returncode == 0
        assert [each.login for each in relay.wait_for(1)] == ["site"]


def test_a_client_secret_is_handed_over_a_refresh_token_stays_where_it_is(room):
    room.built(
        f"{ONE}oauth-client-secret-file = /etc/maildrop/secret\n"
        "oauth-refresh-token-file = tokens/refresh\n"
    )
    assert settings(room)["LoadCredential"] == [
        "oauth-client-secret-file:/etc/maildrop/secret"
    ]


@pytest.mark.parametrize("option", ["password-file", "oauth-client-secret-file"])
def test_the_unit_says_that_a_reload_does_not_see_a_new_secret(room, option):
    room.built(f"{TWO}{option} = secret\n")
    handed_over = room.text("parts/maildrop/maildrop-newsletter.service")
    comment = handed_over.partition(f"\nLoadCredential={option}:")[0].splitlines()[-1]
    assert comment.startswith("# ")
    assert f"once {option} has changed, " in comment
    assert "systemctl restart maildrop-newsletter" in comment
    assert "made at the start" not in room.text("parts/maildrop/maildrop-main.service")


def test_a_password_is_in_no_file_for_the_system(room):
    room.built(ONE + f"login = me\npassword = {PASSWORD}\n")
    for kind in ("service", "logrotate", "supervisor"):
        path = f"parts/maildrop/maildrop.{kind}"
        assert PASSWORD not in room.text(path)
        assert room.mode(path) == 0o644


def test_an_uninstall_takes_the_files_for_the_system_away(room):
    room.built(ONE)
    room.built("", parts="")
    assert not [path for path in (room / "parts").rglob("*") if path.is_file()]
