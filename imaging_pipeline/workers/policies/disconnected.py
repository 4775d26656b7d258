"""A connection that was lost says nothing about the job."""

from __future__ import annotations

from imaging_pipeline.server.connection_errors import is_loss
from imaging_pipeline.workers.messages import Fate
from imaging_pipeline.workers.policy import Policy, Verdict

# A job may also be what ends the connection, such as one with a row that is too large for the server.
_PAUSES_S = (0.0, 0.0, 10.0, 60.0, 300.0, 900.0)


class Disconnected(Policy):
    """The job is taken up again when the database answers."""

    def judge(self, error: BaseException) -> Verdict | None:
        """Return the job back."""
        if not is_loss(error):
            return None
        return Verdict(
            Fate.DISCONNECTED,
            "The connection to the database was lost.",
            "Nothing at first; where it lasts, see whether the database server runs and what its log says.",
            pauses_s=_PAUSES_S,
            keeps_result=True,
        )
