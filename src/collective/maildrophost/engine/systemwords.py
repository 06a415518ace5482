"""What the system says of a file that it does not give, to be translated."""

from __future__ import annotations

from .wording import Wording, _, verbatim

_KNOWN = {
    str(each): each
    for each in (
        _("File exists"),
        _("File name too long"),
        _("Input/output error"),
        _("Is a directory"),
        _("No such file or directory"),
        _("No space left on device"),
        _("Not a directory"),
        _("Operation not permitted"),
        _("Permission denied"),
        _("Read-only file system"),
        _("Too many levels of symbolic links"),
        _("Too many open files"),
    )
}


def reason(error: OSError) -> Wording:
    """Why, without the file."""
    words = error.strerror or str(error)
    return _KNOWN.get(words) or verbatim(words)


def reason_and_file(error: OSError) -> Wording:
    """Why, and of which file: as the error itself says it."""
    if error.strerror is None or error.filename is None or error.filename2 is not None:
        return verbatim(error)
    return _(
        "[Errno ${number}] ${reason}: ${file}",
        mapping={
            "number": error.errno,
            "reason": reason(error),
            "file": repr(error.filename),
        },
    )
