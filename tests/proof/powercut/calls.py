"""What programs did to files and connections, as strace has written it down."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CALLS = (
    "openat,open,creat,write,writev,pwrite64,pwritev,pwritev2,lseek,ftruncate,truncate,"
    "fallocate,copy_file_range,sendfile,rename,renameat,renameat2,link,linkat,symlink,"
    "symlinkat,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,sync_file_range,"
    "sync,syncfs,msync,sendto,sendmsg"
)
PATHS_ALONE = frozenset(
    {"open", "creat", "truncate", "rename", "link", "symlink", "unlink", "mkdir"}
    | {"rmdir"}
)
"""Calls that do not say what their relative paths are relative to."""
LONGEST_STRING = 64 * 2**20


def traced(trace: Path) -> tuple[str, ...]:
    """The start of a command whose calls are to be written to `trace`."""
    # Every string in hexadecimal digits: no argument has a quote or a comma in it. The
    # filter in the kernel stops the programs for these calls only.
    form = ("-f", "--seccomp-bpf", "-yy", "-xx", "-s", str(LONGEST_STRING))
    return ("strace", *form, "-e", f"trace={CALLS}", "-o", str(trace))


@dataclass(frozen=True)
class Call:
    """One system call; `began` and `ended` are lines of the trace.

    What it did was done by `ended`, and no earlier than `began`. The `result` is None
    where its process was killed meanwhile: nobody knows whether it did anything. Paths
    are relative to `directory`.
    """

    began: int
    ended: int
    name: str
    arguments: str
    result: int | None
    directory: str = "/"

    @property
    def strings(self) -> list[bytes]:
        """Every string among the arguments."""
        assert '"...' not in self.arguments, "a string was cut off"
        return [_octets(text) for text in self.arguments.split('"')[1::2]]

    @property
    def numbers(self) -> list[int]:
        """Every plain number among the arguments."""
        bare = '""'.join(self.arguments.split('"')[::2])
        parts = (part.strip() for part in bare.split(","))
        return [int(part, 0) for part in parts if _NUMBER.fullmatch(part)]

    @property
    def only_looks(self) -> bool:
        """Whether no disk has anything to do with it."""
        reads = "O_RDONLY" in self.arguments and "O_CREAT" not in self.arguments
        return self.name == "lseek" or (self.name == "openat" and reads)

    @property
    def file(self) -> str | None:
        """The path of the descriptor that is the first argument; None: it has none."""
        found = _FILE.match(self.arguments)
        if found is None or found[2]:
            return None
        return _octets(found[1]).decode()

    @property
    def connection(self) -> str | None:
        """Both ends of the TCP connection that is the first argument."""
        found = _CONNECTION.match(self.arguments)
        return found[1] if found else None

    @property
    def paths(self) -> list[str]:
        """The absolute paths that the arguments name."""
        found = []
        for directory, text in _PATH.findall(self.arguments):
            path = _octets(text).decode()
            found.append(str(Path(self.directory, _octets(directory).decode(), path)))
        return found


_NUMBER = re.compile(r"-?(?:0x[0-9a-f]+|\d+)")
_FILE = re.compile(r"\d+<((?:\\x[0-9a-f]{2})+)(?:<[^>]*>)?>(\(deleted\))?")
_CONNECTION = re.compile(r"\d+<(TCP[^>]*->[^>]*)>")
_PATH = re.compile(r'(?:AT_FDCWD|\d+)?(?:<((?:\\x..)+)>, )?"((?:\\x..)*)"')
_DONE = re.compile(r"(\w+)\((.*)\)\s+= (-?\d+).*", re.DOTALL)
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)", re.DOTALL)
_CUT_OFF = re.compile(r"(\w+)\((.*)\)\s+= \?", re.DOTALL)
_UNFINISHED = " <unfinished ...>"


def _octets(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))


def calls(lines: Iterable[str], directory: Path = Path("/")) -> Iterator[Call]:
    """Every call but those that failed, in the order in which they ended.

    All programs of the trace work in the same `directory`: rename and unlink of a
    relative path do not show it.
    """
    begun: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(lines):
        thread, _, words = line.rstrip("\n").partition(" ")
        words = words.lstrip()
        if words.endswith(_UNFINISHED):
            begun[thread] = number, words.removesuffix(_UNFINISHED)
            continue
        began = number
        resumed = _RESUMED.match(words)
        if resumed and thread in begun:
            began, start = begun.pop(thread)
            words = start + resumed[1]
        done = _DONE.match(words)
        if done and int(done[3]) >= 0:
            yield Call(began, number, done[1], done[2], int(done[3]), str(directory))
        cut_off = _CUT_OFF.match(words)
        if cut_off:
            yield Call(began, number, cut_off[1], cut_off[2], None, str(directory))
