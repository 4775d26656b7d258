"""For how long a heart has beaten steadily: who slept, or was cut off, could not hear others meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

# A machine that sleeps stops the first on some systems; the second is set anew now and then.
_CLOCKS = (time.monotonic, time.time)


class Pulse:
    """Takes note of beats, by one thread, and tells another how steady they are.

    Parameters
    ----------
    late_s
        After which a beat is late.
    clocks
        Give seconds; a beat is late when it is so by any of them. The first one never goes back.
    """

    def __init__(self, late_s: float, clocks: Sequence[Callable[[], float]] = _CLOCKS) -> None:
        self._late_s = late_s
        self._clocks = clocks
        self._last: tuple[float, ...] | None = None
        self._missed: float | None = None

    def beat(self, since_s: float = 0.0) -> None:
        """Take note of a beat, and of how long ago the last one was by the server's clock."""
        if self._is_late() or since_s > self._late_s:
            self.miss()
        self._last = self._now()

    def miss(self) -> None:
        """Take note that one failed."""
        self._missed = self._clocks[0]()

    def steady_s(self) -> float:
        """Return for how long no beat failed or came late; since ever, where none did."""
        if self._is_late():
            return 0.0
        return float("inf") if self._missed is None else self._clocks[0]() - self._missed

    def _is_late(self) -> bool:
        last = self._last
        if last is None:
            return False
        passed = (now - then for now, then in zip(self._now(), last, strict=True))
        return max(passed) > self._late_s

    def _now(self) -> tuple[float, ...]:
        return tuple(clock() for clock in self._clocks)
