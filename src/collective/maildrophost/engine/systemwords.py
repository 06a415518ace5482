"""The system's reasons for refusing a file, so that they can be translated."""

from __future__ import annotations

from .wording import Wording, _, verbatim

_KNOWN = {
    str(words): words
    for words in (
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
    """Why the system refused, without the name of the file."""
    words = error.strerror or str(error) or type(error).__name__
    return _KNOWN.get(words) or verbatim(words)


def reason_and_file(error: OSError) -> Wording:
    """Why the system refused, and which file: in the form of the error's own text."""
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
