"""Work in processes of its own, forked from this one, begun at the same moment."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from typing import Any, TypeVar

from ..failure import BenchmarkFailed

Result = TypeVar("Result")

# Forked, since all that a page needs is imported already: that takes a second.
_CONTEXT = get_context("fork")
_PATIENCE_SECONDS = 60.0
_begin: Barrier | None = None


def in_processes(
    count: int, work: Callable[..., Result], *arguments: Any
) -> list[Result]:
    """What `work` returns in each process; it must call `begin_together` once.

    BenchmarkFailed when one of them fails.
    """
    barrier = _CONTEXT.Barrier(count)
    with _CONTEXT.Pool(count, _prepare, (barrier,)) as pool:
        try:
            return pool.starmap(_run, [(work, *arguments)] * count, chunksize=1)
        except Exception as error:
            raise BenchmarkFailed(f"{type(error).__name__}: {error}") from error


def _run(work: Callable[..., Result], *arguments: Any) -> Result:
    assert _begin is not None
    try:
        return work(*arguments)
    except BaseException:
        _begin.abort()  # so that nobody waits for one that has failed
        raise


def begin_together() -> None:
    """Wait until all the others have come as far."""
    assert _begin is not None
    _begin.wait(_PATIENCE_SECONDS)


@contextmanager
def beside(prepare: Callable[..., object], *arguments: Any) -> Iterator[None]:
    """Beside the block, a process that has done `prepare` and keeps what it returned.

    BenchmarkFailed when it does not get that far.
    """
    ready, over = _CONTEXT.Event(), _CONTEXT.Event()
    process = _CONTEXT.Process(
        target=_stay, args=(ready, over, prepare, arguments), daemon=True
    )
    process.start()
    try:
        if not ready.wait(_PATIENCE_SECONDS):
            raise BenchmarkFailed(f"{prepare.__name__} beside us has not ended")
        yield
    finally:
        over.set()
        process.join(_PATIENCE_SECONDS)


def _stay(ready: Any, over: Any, prepare: Callable[..., object], given: Any) -> None:
    _leave_signals()
    kept = prepare(*given)
    ready.set()
    over.wait()
    del kept


def _prepare(barrier: Barrier) -> None:
    global _begin
    _leave_signals()
    _begin = barrier


def _leave_signals() -> None:
    # The process that has forked this one ends it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
