"""What workers need to know of the tables that they work on, and of the database that these are in."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from imaging_pipeline import database
from imaging_pipeline.lanes import LANES, Lane, Need
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.jobs.needs import job_needs, room
from imaging_pipeline.schemas.jobs.restrictions import keys_meant
from imaging_pipeline.workers.abilities import Abilities, find_abilities
from imaging_pipeline.workers.messages import Key
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.suite2p_turn import suite2p_turn


class Wiring:
    """The pipeline's own tables; other tables override it.

    The job process gets it pickled, and connects by it anew.

    Parameters
    ----------
    start_method
        Of job processes, as `multiprocessing` knows it.

    Attributes
    ----------
    lanes
        All lanes: jobs of dead workers are taken up for each.
    """

    lanes: tuple[Lane, ...] = LANES

    def __init__(self, start_method: str = "spawn") -> None:
        self.start_method = start_method

    def told(self, config: Any, settings: Settings) -> Any:
        """Return the configuration with what jobs are to know of the command line."""
        return dataclasses.replace(config, suite2p_threads=settings.threads)

    def connect(self, config: Any) -> Any:
        """Bind the table classes, and give their connection."""
        return database.connect(config)

    def open(self, config: Any) -> Any:
        """Return a connection of a thread's own."""
        return database.open_connection(config)

    @property
    def handle(self) -> Any:
        """What the functions of duties take."""
        return tables.default_tables()

    @property
    def workers(self) -> Any:
        """The table of workers."""
        return tables.default_tables().imaging.Worker()

    @property
    def changes(self) -> Any:
        """The table in which changes are counted."""
        return tables.default_tables().imaging.TableChange()

    def meant(self, target: Any, condition: str) -> str:
        """Return the SQL condition on a table's keys of the sessions that a person's condition means.

        Raises
        ------
        InputError
        """
        return keys_meant(tables.default_tables(), target.primary_key, condition)

    def abilities(self, config: Any, lanes: Sequence[Lane]) -> Abilities:
        """Look what this machine can do of some lanes."""
        return find_abilities(config, tables.default_tables(), lanes)

    def here(self, lane: Lane, target: Any, abilities: Abilities) -> str:
        """Return the SQL condition on the keys whose files this machine finds; empty where it finds all."""
        if Need.REPOSITORY not in lane.needs or not abilities.unmounted:
            return ""
        missing = ", ".join("'{}'".format(name.replace("'", "''")) for name in abilities.unmounted)
        return self.meant(target, f"repository_name NOT IN ({missing})")

    def why_not_here(self, lane: Lane, key: Key, abilities: Abilities) -> str:
        """Return why there is no room for a job on this machine; nothing where there is."""
        if Need.SUITE2P not in lane.needs:
            return ""
        needs = job_needs(tables.default_tables(), lane, dict(key))
        why_not, _ = room(needs, abilities.scratch_bytes, abilities.memory_bytes)
        return f"This machine cannot do it: {why_not}." if why_not else ""

    @contextmanager
    def turn(self, lane: Lane, config: Any, settings: Settings) -> Iterator[bool]:
        """Return True if a job of a lane may run beside the others of this machine, while the block lasts."""
        if Need.SUITE2P not in lane.needs:
            yield True
            return
        with suite2p_turn(config.scratch, settings.threads) as is_ours:
            yield is_ours
