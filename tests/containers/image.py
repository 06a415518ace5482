"""A stage of the Dockerfile, built and run without a container engine."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import venv
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).parents[2]
FOLDER = PROJECT / "docs" / "containers"
DOCKERFILE = FOLDER / "Dockerfile"
BUILD_SECONDS = 600
SECONDS = 60


@dataclass(frozen=True)
class Stage:
    """The instructions of one target."""

    name: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, word: str) -> list[str]:
        return [text for found, text in self.instructions if found == word]

    def variables(self, word: str) -> dict[str, str]:
        return dict(text.split("=", 1) for text in self.all(word))


def stages(text: str) -> dict[str, Stage]:
    """The targets of a Dockerfile by name; what precedes the first one is left out."""
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    found: dict[str, list[tuple[str, str]]] = {}
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.partition(" ")
        if word == "FROM":
            current = found.setdefault(rest.split(" AS ")[1], [])
        elif line and found:
            current.append((word, rest))
    return {name: Stage(name, tuple(each)) for name, each in found.items()}


@dataclass
class Image:
    """A stage in a folder that stands for the root of its container."""

    stage: Stage
    root: Path
    environ: dict[str, str] = field(default_factory=dict)

    def build(self) -> None:
        """Run every step, with this project in the place of its release."""
        venv.create(self.root, with_pip=True)
        for folder in ("etc", "run/secrets"):
            (self.root / folder).mkdir(parents=True)
        arguments = {
            "MAILDROPHOST": str(self._copy_of_the_project()),
            "PIP_CONSTRAINT": str(PROJECT / "constraints.txt"),
        }
        for step in self.stage.all("RUN"):
            ended = subprocess.run(
                ["sh", "-ec", self.inside(step)],
                env={**self._bare(), **arguments},
                capture_output=True,
                text=True,
                timeout=BUILD_SECONDS,
            )
            assert ended.returncode == 0, f"{step}\n{ended.stdout}{ended.stderr}"
        for name, value in self.stage.variables("ENV").items():
            self.environ[name] = self.inside(value)

    def inside(self, text: str) -> str:
        """`text` with the container's paths and user as they are here."""
        ours = (("-o 500 -g 500", f"-o {os.getuid()} -g {os.getgid()}"),)
        for theirs, here in ours:
            text = text.replace(theirs, here)
        return re.sub(r"(?<![\w/.])/(?=(etc|mail|run)\b)", f"{self.root}/", text)

    def call(
        self, command: list[str] | str, environ: dict[str, str]
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose exec`, or a health check."""
        shell = ["sh", "-c", command] if isinstance(command, str) else command
        return subprocess.run(
            shell,
            env={**self._bare(), **self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )

    def run(self, environ: dict[str, str]) -> Container:
        """`docker compose up`."""
        (command,) = self.stage.all("CMD")
        log = (self.root / "console").open("wb")
        with log:
            process = subprocess.Popen(
                json.loads(command),
                env={**self._bare(), **self.environ, **environ},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        return Container(self, environ, process)

    def _bare(self) -> dict[str, str]:
        kept = ("HOME", "LANG", "PIP_INDEX_URL", "PIP_CACHE_DIR", "PIP_CONFIG_FILE")
        found = {name: os.environ[name] for name in kept if name in os.environ}
        return {**found, "PATH": f"{self.root}/bin:/usr/bin:/bin"}

    def _copy_of_the_project(self) -> Path:
        """A build writes beside the source, where others work."""
        copy = self.root / "project"
        copy.mkdir()
        files = ("setup.py", "pyproject.toml", "MANIFEST.in", "README.md", "LICENSE")
        for name in files:
            shutil.copy(PROJECT / name, copy)
        unwanted = shutil.ignore_patterns("*.egg-info", "__pycache__")
        shutil.copytree(PROJECT / "src", copy / "src", ignore=unwanted)
        return copy


@dataclass
class Container:
    """What runs of an image."""

    image: Image
    environ: dict[str, str]
    process: subprocess.Popen[bytes]

    @property
    def console(self) -> str:
        return (self.image.root / "console").read_text()

    def is_healthy(self) -> bool:
        """What its health check says."""
        (check,) = self.image.stage.all("HEALTHCHECK")
        command = json.loads(check.partition(" CMD ")[2])
        return self.image.call(command, self.environ).returncode == 0

    def stop(self, grace_seconds: float) -> int:
        """The exit status; subprocess.TimeoutExpired where the engine would kill."""
        (name,) = self.image.stage.all("STOPSIGNAL")
        self.process.send_signal(signal.Signals[name])
        return self.process.wait(grace_seconds)
