"""The file system that a queue lies on: on some, data get lost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ...wording import Unfit, _

NETWORK_FILE_SYSTEMS = frozenset(
    {"9p", "afs", "ceph", "cifs", "fuse.glusterfs", "fuse.sshfs", "glusterfs"}
    | {"gpfs", "lustre", "ncpfs", "nfs", "nfs4", "smb3", "smbfs"}
)
FILE_SYSTEMS_IN_MEMORY = frozenset({"ramfs", "tmpfs"})


def refuse_network_file_system(path: Path) -> None:
    """Raise Unfit where SQLite's locks cannot be relied on."""
    kind = file_system(path)
    if kind in NETWORK_FILE_SYSTEMS:
        raise Unfit(
            _(
                "it lies on a network file system (${kind}), where SQLite loses data: "
                "put MAILDROP_QUEUE on a local disk, or on PostgreSQL for several "
                "machines",
                mapping={"kind": kind},
            )
        )


def risks(path: Path) -> Iterator[str]:
    """Say so where everything is gone after a restart of the machine."""
    kind = file_system(path)
    if kind in FILE_SYSTEMS_IN_MEMORY:
        yield (
            f"it lies in memory ({kind}): put MAILDROP_QUEUE on a disk, or a restart "
            "of the machine costs all mail"
        )


def file_system(path: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """The type of the file system that holds `path`, "" where it can't be told."""
    try:
        table = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return ""
    resolved = str(path.resolve())
    best = ("", "")
    for row in table:
        _device, point, kind = row.split()[:3]
        point = point.replace("\\040", " ")
        inside = resolved == point or resolved.startswith(point.rstrip("/") + "/")
        # A later mount on the same point hides the earlier one.
        if inside and len(point) >= len(best[0]):
            best = (point, kind)
    return best[1]
