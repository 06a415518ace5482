"""One access token for all connections, renewed in time."""

# Rules of this file:
# - One refresh at a time; whoever wants a token meanwhile waits for the same one, and
#   meets the same fault.
# - One request at a time: while one is under way that nobody waits for any more, the
#   next refresh waits for its answer and asks for nothing. So an endpoint that hangs
#   costs one thread, and a refresh token that is good for one use is not used twice.
# - A token that came when nobody waited is taken by the next refresh: otherwise a slow
#   endpoint would never give one in time. After a fault it is asked again.
# - A token that is still good is handed out while the next one is on its way: mail does
#   not wait for an early refresh, nor does it stop if that fails.
# - The clock is the monotonic one: a lifetime is a duration.

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass

from ..system.blocking import begin
from ..system.patience import within
from .endpoint import Issued
from .fault import TokenFault
from .token import AccessToken

log = logging.getLogger("maildrop.tokens")

EARLY_RETRY_SECONDS = 30.0
"""Between two early refreshes, if the first has failed."""
LONGEST_SECONDS = 35.0
"""How long a token is waited for: an endpoint may send its answer byte by byte."""


@dataclass(frozen=True)
class _Request:
    """A request that was made at `asked`, by the source's clock."""

    asked: float
    answer: Future[Issued]

    @property
    def token(self) -> AccessToken:
        """The token in the answer, which must have come."""
        issued = self.answer.result()
        expires = self.asked + issued.lifetime_seconds
        return AccessToken(issued.access_token, self.asked, expires)

    def is_in_vain(self, now: float) -> bool:
        """Whether it has ended, and without a token that is still good."""
        if not self.answer.done():
            return False
        return self.answer.exception() is not None or not self.token.is_valid(now)


class TokenSource:
    """Made with `fetch`, which gets a token; it may block, and raises TokenFault."""

    def __init__(
        self, fetch: Callable[[], Issued], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._token: AccessToken | None = None
        self._refreshing: asyncio.Task[AccessToken] | None = None
        self._request: _Request | None = None
        self._not_before = -math.inf

    async def token(self, refused: AccessToken | None = None) -> AccessToken:
        """A token that is valid now; TokenFault.

        `refused` is one that the relay did not take: it is not given out again.
        """
        now = self._clock()
        token = self._token
        if token is None or token == refused or not token.is_valid(now):
            # A connection that is given up must not stop the others' refresh. Not by
            # asyncio.shield: since Python 3.14 that logs what fails when nobody waits.
            refreshing = self._refresh()
            await asyncio.wait([refreshing])
            return refreshing.result()
        if token.is_due(now) and now >= self._not_before:
            self._not_before = now + EARLY_RETRY_SECONDS
            self._refresh().add_done_callback(_log_early)
        return token

    def _refresh(self) -> asyncio.Task[AccessToken]:
        if self._refreshing is None or self._refreshing.done():
            self._refreshing = asyncio.create_task(self._renew())
            self._refreshing.add_done_callback(_error_of)
        return self._refreshing

    async def _renew(self) -> AccessToken:
        request = self._under_way()
        try:
            answer = asyncio.wrap_future(request.answer)
            issued = await within(answer, LONGEST_SECONDS)
        except TimeoutError:
            reason = f"no token within {LONGEST_SECONDS:.0f} seconds"
            raise TokenFault(reason, permanent=False) from None
        self._request = None
        self._token = request.token
        log.info("a new access token, good for %.0f s", issued.lifetime_seconds)
        return self._token

    def _under_way(self) -> _Request:
        now = self._clock()
        if self._request is None or self._request.is_in_vain(now):
            self._request = _Request(now, begin(self._fetch, "token"))
        return self._request


def _error_of(refreshing: asyncio.Task[AccessToken]) -> BaseException | None:
    # Asked for in any case: else asyncio logs the error of a refresh that nobody waits
    # for any more, with a traceback.
    return None if refreshing.cancelled() else refreshing.exception()


def _log_early(refreshing: asyncio.Task[AccessToken]) -> None:
    if (error := _error_of(refreshing)) is not None:
        log.warning("%s; mail goes on with the token that is still good", error)
