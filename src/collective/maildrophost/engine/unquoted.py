"""Where an error happened, without what it says: its text may quote a message."""

from __future__ import annotations


def unquoted(error: BaseException) -> BaseException:
    """An error to log instead of `error`: the same names and places, no text.

    With its causes, which a traceback shows as well.
    """
    return _unquoted(error, [])


def _unquoted(error: BaseException, above: list[BaseException]) -> BaseException:
    kind = type(error)
    named = type(kind.__name__, (Exception,), {"__module__": kind.__module__})
    silent: BaseException = named().with_traceback(error.__traceback__)
    cause = error.__cause__
    context = None if error.__suppress_context__ else error.__context__
    above = [*above, error]
    # An error may have been raised from itself.
    if cause is not None and cause not in above:
        silent.__cause__ = _unquoted(cause, above)
    if context is not None and context not in above:
        silent.__context__ = _unquoted(context, above)
    return silent
