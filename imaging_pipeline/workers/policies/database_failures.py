"""A transaction that another one blocked is run again, and a connection that was lost is made again."""

from __future__ import annotations

from collections.abc import Iterator

from imaging_pipeline.server.connection_errors import is_loss
from imaging_pipeline.workers.messages import Outcome
from imaging_pipeline.workers.policies.policy import Policy, RetryDecision

# PostgreSQL, appendix A: serialization failure, deadlock, lock timeout. MySQL: lock wait timeout, deadlock.
_BLOCKED = frozenset({"40001", "40P01", "55P03", 1205, 1213})
# Seconds. Of a deadlock the other transaction goes on, so that the first attempts need no pause.
_BLOCKED_PAUSES_S = (0.0, 0.0, 0.0, 10.0, 60.0, 300.0)

# A row that refers to another came, or the other went, between two statements (PostgreSQL: restrict and
# foreign key violation; MySQL: parent and child row). An error of the job looks the same, but stays.
_REFERRED = frozenset({"23001", "23503", 1451, 1452})
_MAX_ATTEMPTS = 5

# A job may also be what ends the connection, such as one with a row that is too large for the server.
_LOST_PAUSES_S = (0.0, 0.0, 10.0, 60.0, 300.0, 900.0)

_LOST_REMEDY = "Nothing at first; where it lasts, see whether the database server runs and what its log says."
_BLOCKED_REMEDY = (
    "Nothing at first; where it lasts, see which transaction on the database server does not end."
)


class DatabaseFailures(Policy):
    """Deadlocks and their like, and lost connections, say nothing about the job."""

    def decide(self, error: BaseException) -> RetryDecision | None:
        """Try again when the other transaction has ended, or the database answers."""
        codes = set(_codes(error))
        if codes & _BLOCKED:
            return RetryDecision(
                Outcome.WAITING, remedy=_BLOCKED_REMEDY, pauses_s=_BLOCKED_PAUSES_S, keeps_result=True
            )
        if codes & _REFERRED:
            return RetryDecision(Outcome.WAITING, remedy=_BLOCKED_REMEDY, max_attempts=_MAX_ATTEMPTS)
        if is_loss(error):
            return RetryDecision(
                Outcome.DISCONNECTED,
                "The connection to the database was lost.",
                _LOST_REMEDY,
                pauses_s=_LOST_PAUSES_S,
                keeps_result=True,
            )
        return None


def _codes(error: BaseException | None) -> Iterator[str | int]:
    """Yield the server's codes: DataJoint's errors have lost them, those that they came from have not."""
    while error is not None:
        code = getattr(error, "pgcode", None) or next(iter(error.args), None)
        if isinstance(code, (str, int)):
            yield code
        # As Python shows them: what `raise … from None` hides is no cause.
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
