"""A transaction that the server chose to end, so that another could go on, is run again."""

from __future__ import annotations

from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict

# Serialization failure and deadlock (PostgreSQL, appendix A); lock wait timeout and deadlock (MySQL).
_POSTGRESQL_STATES = frozenset({"40001", "40P01"})
_MYSQL_NUMBERS = frozenset({1205, 1213})


class Collided(Policy):
    """Deadlocks and their like say nothing about the job."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Try again: the other transaction is through."""
        number = error.args[0] if error.args else None
        if getattr(error, "pgcode", None) in _POSTGRESQL_STATES or number in _MYSQL_NUMBERS:
            return Verdict(Fate.WAITING)
        return None
