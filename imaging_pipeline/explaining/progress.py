"""How far each table is with each session, in one word, from whether it has a job there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from imaging_pipeline.explaining.missing import ANALYSIS, SUITE2P
from imaging_pipeline.explaining.reasons import State

_OVER = (State.DONE, State.DOES_NOT_APPLY)


def states(
    found: Mapping[str, State | None], needs: Mapping[str, Sequence[str]], *, has_output: bool
) -> dict[str, State]:
    """Return how far each table is with a session.

    Parameters
    ----------
    found
        Table → how far its rows of the session are, the state that a person should see first of several;
        None where there is none and none can be made now.
    needs
        Table → tables whose rows it is made from.
    has_output
        Whether an output of a segmentation program is registered of the session.
    """
    told: dict[str, State] = {}

    def state(table: str) -> State:
        if table not in told:
            known = found[table]
            told[table] = missing(table) if known is None else known
        return told[table]

    def missing(table: str) -> State:
        if table == ANALYSIS:
            is_coming = has_output or state(SUITE2P) is not State.DOES_NOT_APPLY
        else:
            is_coming = any(state(each) not in _OVER for each in needs[table] if each in found)
        return State.NOT_YET if is_coming else State.DOES_NOT_APPLY

    return {table: state(table) for table in found}
