"""Calls that may block for long, in threads of their own."""

# Rules of this file:
# - The event loop's threads are not used: the intake and the metrics share those, and
#   a call that never ends would keep one of them.
# - The daemon ends without waiting for such a call.

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Value = TypeVar("Value")


def begin(call: Callable[[], Value], name: str) -> Future[Value]:
    """Run `call` in a new thread; a Future of its result that nobody can cancel."""
    answer: Future[Value] = Future()
    # A call that is under way cannot be cancelled, even when nobody waits for it.
    answer.set_running_or_notify_cancel()
    threading.Thread(
        target=_answer, args=(call, answer), name=f"maildrop-{name}", daemon=True
    ).start()
    return answer


def keep_signals_out() -> None:
    """A thread calls this first, or it gets the signals that the main one blocks."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def _answer(call: Callable[[], Value], answer: Future[Value]) -> None:
    keep_signals_out()
    try:
        answer.set_result(call())
    except BaseException as error:
        answer.set_exception(error)
