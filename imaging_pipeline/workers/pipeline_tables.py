"""What workers need to know about the tables that they populate, and about their database."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from imaging_pipeline import database
from imaging_pipeline.lanes import LANES, Lane, Need
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.jobs.needs import job_needs, room
from imaging_pipeline.schemas.jobs.restrictions import key_condition_of
from imaging_pipeline.schemas.versions import check_version_is_still_ours
from imaging_pipeline.workers.abilities import Abilities, find_abilities
from imaging_pipeline.workers.messages import Key
from imaging_pipeline.workers.settings import Settings
from imaging_pipeline.workers.shared_cores import suite2p_run_lock


class PipelineTables:
    """The pipeline's own tables; a subclass has others.

    It is pickled for the job process, which makes a connection of its own.

    Parameters
    ----------
    start_method
        Of job processes, as `multiprocessing` knows it.

    Attributes
    ----------
    lanes
        All lanes: jobs of dead workers are settled for each.
    """

    lanes: tuple[Lane, ...] = LANES

    # Not "fork": a child would share the connections of its parent.
    def __init__(self, start_method: str = "spawn") -> None:
        self.start_method = start_method

    def configure(self, config: Any, settings: Settings) -> Any:
        """Return the configuration with the options of the command line that jobs use."""
        return dataclasses.replace(config, suite2p_threads=settings.threads)

    def connect(self, config: Any) -> Any:
        """Bind the table classes, and return their connection."""
        return database.connect(config)

    def open(self, config: Any) -> Any:
        """Return a connection of a thread's own."""
        return database.open_connection(config)

    def check_version(self) -> None:
        """Raise OtherVersionError where the tables were upgraded since this process connected.

        Raises
        ------
        OtherVersionError
            They are no longer those of this program.
        """
        check_version_is_still_ours(tables.default_tables())

    @property
    def handle(self) -> Any:
        """What the functions of periodic tasks take."""
        return tables.default_tables()

    @property
    def workers(self) -> Any:
        """The table of workers."""
        return tables.default_tables().imaging.Worker()

    @property
    def changes(self) -> Any:
        """The table in which changes are counted."""
        return tables.default_tables().imaging.TableChange()

    def keys_condition(self, target: Any, condition: str) -> str:
        """Return the SQL condition on a table's keys that says what a person's condition on sessions does.

        Raises
        ------
        InputError
            The condition is none on what the table's keys come from.
        """
        return key_condition_of(tables.default_tables(), target.primary_key, condition)

    def abilities(self, config: Any, lanes: Sequence[Lane]) -> Abilities:
        """Return what this machine can do of some lanes."""
        return find_abilities(config, tables.default_tables(), lanes)

    def reachable_condition(self, lane: Lane, target: Any, abilities: Abilities) -> str:
        """Return the SQL condition on keys whose files this machine reaches; empty where it reaches all."""
        if Need.REPOSITORY not in lane.needs or not abilities.unmounted:
            return ""
        missing = ", ".join("'{}'".format(name.replace("'", "''")) for name in abilities.unmounted)
        return self.keys_condition(target, f"repository_name NOT IN ({missing})")

    def no_room_reason(self, lane: Lane, key: Key, abilities: Abilities) -> str:
        """Return why there is no room for a job on this machine; an empty text where there is."""
        if Need.SUITE2P not in lane.needs:
            return ""
        needs = job_needs(tables.default_tables(), lane, dict(key))
        reason, _ = room(needs, abilities.scratch_bytes, abilities.memory_bytes)
        return f"This machine cannot do it: {reason}." if reason else ""

    @contextmanager
    def run_lock(self, lane: Lane, config: Any, settings: Settings) -> Iterator[bool]:
        """Yield True if a job of a lane may run beside the others of this machine, while the block lasts."""
        if Need.SUITE2P not in lane.needs:
            yield True
            return
        with suite2p_run_lock(config.scratch, settings.threads) as is_ours:
            yield is_ours
