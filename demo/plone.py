"""The process of Plone: its configuration, its start, its end."""

from __future__ import annotations

import http.client
import secrets
import socket
import subprocess
from pathlib import Path

from .failure import DemoFailed
from .programs import PLONE_PYTHON, ROOT, environment

START_SECONDS = 240.0
STOP_SECONDS = 20.0

ZOPE_CONF = """\
%define HOME {home}
instancehome $HOME
clienthome $HOME
debug-mode off
<zodb_db main>
    mount-point /
    cache-size 30000
    <blobstorage>
        blob-dir $HOME/blobstorage
        <filestorage>
            path $HOME/Data.fs
        </filestorage>
    </blobstorage>
</zodb_db>
<product-config maildrophost>
    config-path-demo {maildrop_configuration}
</product-config>
"""


class Plone:
    """``with Plone(home, configuration) as plone:`` ends what `start` began."""

    host = "127.0.0.1"
    site = "/Plone"
    user = "admin"

    def __init__(self, home: Path, maildrop_configuration: Path) -> None:
        self.password = secrets.token_urlsafe(9)
        self.port = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._home = home
        self._maildrop_configuration = maildrop_configuration

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def __enter__(self) -> Plone:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if self._process is not None:
            _stop(self._process)

    def start(self) -> None:
        """Start the process; raises DemoFailed when it ends at once."""
        zope_conf = self._write_configuration()
        # The listening socket is handed over: no other program can take its port.
        with (
            socket.create_server((self.host, 0)) as listening,
            open(self._home / "plone.log", "wb") as log,
        ):
            self.port = listening.getsockname()[1]
            arguments = [zope_conf, self.user, listening.fileno()]
            self._process = subprocess.Popen(
                [PLONE_PYTHON, "-m", "demo.server", *map(str, arguments)],
                cwd=self._home,
                env={**environment(), "PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                pass_fds=[listening.fileno()],
                start_new_session=True,  # Ctrl-C is for the demo
            )
        _tell(self._process, self.password)

    def wait_until_it_answers(self) -> None:
        """Raises DemoFailed when the process ends or takes too long."""
        # A request waits in the socket until Plone takes it, and fails when Plone ends.
        connection = http.client.HTTPConnection(
            self.host, self.port, timeout=START_SECONDS
        )
        try:
            connection.request("GET", f"{self.site}/@@ok")
            status = connection.getresponse().status
        except TimeoutError:
            raise DemoFailed(
                f"Plone did not answer within {START_SECONDS:.0f} seconds"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            raise DemoFailed(f"Plone has ended ({error})") from None
        finally:
            connection.close()
        if status != 200:
            raise DemoFailed(f"Plone answers with status {status}")

    def _write_configuration(self) -> Path:
        self._home.mkdir(mode=0o700)
        zope_conf = self._home / "zope.conf"
        zope_conf.write_text(
            ZOPE_CONF.format(
                home=self._home, maildrop_configuration=self._maildrop_configuration
            ),
            encoding="utf-8",
        )
        return zope_conf


def _tell(process: subprocess.Popen[bytes], password: str) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(f"{password}\n".encode())
        process.stdin.flush()
    except BrokenPipeError:
        raise DemoFailed("Plone has ended at once") from None


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    assert process.stdin is not None
    process.stdin.close()
