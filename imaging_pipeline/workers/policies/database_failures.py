"""A transaction that another one stood in the way of is run again."""

from __future__ import annotations

from collections.abc import Iterator

from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policies.policy import Policy, Verdict

# PostgreSQL, appendix A: serialization failure, deadlock, lock timeout. MySQL: lock wait timeout, deadlock.
_ENDED = frozenset({"40001", "40P01", "55P03", 1205, 1213})

# A row that refers to another came, or the other went, between two statements (PostgreSQL: restrict and
# foreign key violation; MySQL: parent and child row). An error of the job looks the same, but stays.
_REFERRED = frozenset({"23001", "23503", 1451, 1452})
_MAX_ATTEMPTS = 5

_PAUSES_S = (0.0, 0.0, 0.0, 10.0, 60.0, 300.0)
_REMEDY = "Nothing at first; where it lasts, see which transaction on the database server does not end."


class Collided(Policy):
    """Deadlocks and their like say nothing about the job."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Try again: the other transaction is through."""
        codes = set(_codes(error))
        if codes & _ENDED:
            return Verdict(Fate.WAITING, remedy=_REMEDY, pauses_s=_PAUSES_S, keeps_result=True)
        if codes & _REFERRED:
            return Verdict(Fate.WAITING, remedy=_REMEDY, max_attempts=_MAX_ATTEMPTS)
        return None


def _codes(error: BaseException | None) -> Iterator[str | int]:
    """Return the server's codes: DataJoint's errors have lost them, those that they came from have not."""
    while error is not None:
        code = getattr(error, "pgcode", None) or next(iter(error.args), None)
        if isinstance(code, (str, int)):
            yield code
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
