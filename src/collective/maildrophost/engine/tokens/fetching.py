"""One request for a token, in a thread of its own."""

# Rules of this file:
# - Not one of the event loop's threads: the heartbeat and the intake share those, and
#   an endpoint that never ends its answer keeps its thread.
# - The daemon's end does not wait for it.

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future

from .endpoint import Issued


def begin(fetch: Callable[[], Issued]) -> Future[Issued]:
    """Have `fetch` called; what it gives or raises. Nobody can cancel it."""
    answer: Future[Issued] = Future()
    # A request that is under way cannot be called back, whoever gives up waiting.
    answer.set_running_or_notify_cancel()
    threading.Thread(
        target=_answer, args=(fetch, answer), name="maildrop-token", daemon=True
    ).start()
    return answer


def _answer(fetch: Callable[[], Issued], answer: Future[Issued]) -> None:
    # A thread that lets signals in would get those that the main one keeps waiting.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        answer.set_result(fetch())
    except BaseException as error:
        answer.set_exception(error)
