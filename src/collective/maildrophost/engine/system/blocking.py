"""Calls that may block for long, in threads of their own."""

# Rules of this file:
# - Not one of the event loop's threads: the intake and the metrics share those, and a
#   call that never ends keeps its thread.
# - The daemon's end does not wait for it.

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

Value = TypeVar("Value")


def begin(call: Callable[[], Value], name: str) -> Future[Value]:
    """Have `call` called; what it gives or raises. Nobody can cancel it."""
    answer: Future[Value] = Future()
    # A call that is under way cannot be called back, whoever gives up waiting.
    answer.set_running_or_notify_cancel()
    threading.Thread(
        target=_answer, args=(call, answer), name=f"maildrop-{name}", daemon=True
    ).start()
    return answer


def keep_signals_out() -> None:
    """To be called first by a thread, else it gets what the main one keeps waiting."""
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())


def _answer(call: Callable[[], Value], answer: Future[Value]) -> None:
    keep_signals_out()
    try:
        answer.set_result(call())
    except BaseException as error:
        answer.set_exception(error)
