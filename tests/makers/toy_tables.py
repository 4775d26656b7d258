"""Tables whose jobs do as a sample says: finish, fail, wait, lack something or kill their process."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline import progress
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import (
    FormatError,
    MissingPackageError,
    NotMountedError,
    OtherVersionError,
    StillCopyingError,
)
from imaging_pipeline.lanes import Lane, Need, PeriodicTask
from imaging_pipeline.living_worker import Lack
from imaging_pipeline.schemas.imaging import operations
from imaging_pipeline.server import embedded
from imaging_pipeline.workers.abilities import Abilities
from imaging_pipeline.workers.pipeline_tables import PipelineTables

FIRST = Lane("first", (f"{__name__}:Measurement",))
SECOND = Lane("second", (f"{__name__}:Summary",), frozenset({Need.STORE}))

# Called often; it does something while the folder has a file ``due``.
WITH_TASK = Lane("with task", periodic_tasks=(PeriodicTask(f"{__name__}:do_task", every_s=0.1),))

_GATE_DEADLINE_S = 60.0

schema = dj.Schema()


@dataclass(frozen=True)
class ToyConfig:
    """A server, a schema on it, and a folder through which tests and jobs communicate."""

    server: Config
    schema_name: str
    folder: Path
    repositories: Mapping[str, Path] = field(default_factory=dict)


_folder: list[Path] = []

NO_STORE = Lack(Need.STORE, "main", "The store main is not there", "Mount it.")


class ToyPipelineTables(PipelineTables):
    """The tables below; conditions are on the columns of ``Sample``.

    This machine lacks the store while the folder has a file ``no_store``, and has no room for a sample that a
    file ``<number>.elsewhere`` names. Its program is too old for the tables while there is a file
    ``upgraded``.
    """

    lanes = (FIRST, SECOND)

    def configure(self, config: Any, settings: Any) -> Any:
        return config

    def connect(self, config: Any) -> Any:
        return connect(config)

    def open(self, config: Any) -> Any:
        return open_connection(config)

    def check_version(self) -> None:
        if (_folder[0] / "upgraded").exists():
            raise OtherVersionError(
                "The tables are newer", found="version 2", allowed="version 1", remedy="Install version 2."
            )

    @property
    def handle(self) -> Any:
        return _folder[0]

    @property
    def workers(self) -> Any:
        return Worker()

    @property
    def changes(self) -> Any:
        return TableChange()

    def keys_condition(self, target: Any, condition: str) -> str:
        return f"sample_id IN (SELECT sample_id FROM {Sample.full_table_name} WHERE {condition})"

    def abilities(self, config: Any, lanes: Any) -> Abilities:
        return Abilities((NO_STORE,) if (_folder[0] / "no_store").exists() else ())

    def no_room_reason(self, lane: Lane, key: Any, abilities: Abilities) -> str:
        is_elsewhere = (_folder[0] / f"{key['sample_id']}.elsewhere").exists()
        return "There is no room for it here." if is_elsewhere else ""

    @contextmanager
    def run_lock(self, lane: Lane, config: Any, settings: Any) -> Iterator[bool]:
        yield True


PIPELINE_TABLES = ToyPipelineTables()


def open_connection(config: ToyConfig) -> Any:
    """Connect to the server, with the settings of a worker."""
    settings = dj.settings.Config()
    settings.jobs.keep_completed = True
    server = config.server
    if server.embedded_folder is not None:
        running = embedded.start(server.embedded_folder)
        host, port, user, password = running.host, running.port, running.user, "unused"
    else:
        host, port, user, password = server.host, server.port, server.user, server.password.reveal()
    return dj.Connection(
        host, user, password, port, use_tls=False, backend=server.backend, config_override=settings
    )


def connect(config: ToyConfig) -> Any:
    """Bind the tables below, and declare those that are missing."""
    _folder[:] = [config.folder]
    connection = open_connection(config)
    # As `imaging_pipeline.database` does it: the tables may have been bound to another server before.
    schema.database, schema.connection, schema.declare_list = None, connection, list(_CLASSES)
    schema.activate(config.schema_name, connection=connection)
    for table in (Measurement, Summary):
        table().jobs  # noqa: B018  declared when first touched
    return connection


@schema
class Worker(dj.Manual):
    definition = operations.Worker.definition

    class Process(dj.Part):
        definition = operations.Worker.Process.definition

    class Lack(dj.Part):
        definition = operations.Worker.Lack.definition


@schema
class TableChange(dj.Manual):
    definition = operations.TableChange.definition


@schema
class Sample(dj.Manual):
    definition = """
    sample_id : int32
    ---
    behaviour : varchar(16)
    """


@schema
class Measurement(dj.Computed):
    definition = """
    -> Sample
    ---
    made_by : int32
    """

    def make_fetch(self, key: dict[str, Any]) -> tuple[str]:
        return ((Sample & key).fetch1("behaviour"),)

    def make_compute(self, key: dict[str, Any], behaviour: str) -> tuple[int, str]:
        sample_id = key["sample_id"]
        with (_folder[0] / "computed").open("a") as file:
            file.write(f"{sample_id}\n")
        _BEHAVIOURS[behaviour](sample_id)
        return os.getpid(), behaviour

    def make_insert(self, key: dict[str, Any], made_by: int, behaviour: str) -> None:
        if behaviour == "slow insert":
            _gate(key["sample_id"])
        self.insert1({**key, "made_by": made_by})
        if behaviour == "collides":
            _collide(key["sample_id"])


@schema
class Summary(dj.Computed):
    definition = """
    -> Measurement
    """

    def make(self, key: dict[str, Any]) -> None:
        self.insert1(key)


def _nothing(sample_id: int) -> None:
    for step in range(3):
        progress.report("measuring", step + 1, 3)


def _gate(sample_id: int) -> None:
    """Report that the job has begun, and wait until the test opens the gate."""
    (_folder[0] / f"{sample_id}.begun").touch()
    progress.report("waiting at the gate")
    deadline = time.monotonic() + _GATE_DEADLINE_S
    while not (_folder[0] / f"{sample_id}.open").exists():
        if time.monotonic() > deadline:
            raise TimeoutError("the test did not open the gate")
        time.sleep(0.01)


def _bad(sample_id: int) -> None:
    raise FormatError("The stack is damaged", path="a.tif", found="no header", remedy="Copy it again.")


def _copying(sample_id: int) -> None:
    raise StillCopyingError("Files are still being copied", remedy="Nothing; it waits.")


def _unmounted(sample_id: int) -> None:
    raise NotMountedError("The repository is not mounted", remedy="Mount it.")


def _orphan(sample_id: int) -> None:
    """Measure a sample that is not there."""
    Measurement.insert1({"sample_id": -1, "made_by": 0}, allow_direct_insert=True)


def _lacking(sample_id: int) -> None:
    raise MissingPackageError("Suite2p is not installed", remedy="Install it.")


def _deadly(sample_id: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _failing_gate(sample_id: int) -> None:
    _gate(sample_id)
    _bad(sample_id)


def _querying_gate(sample_id: int) -> None:
    """Query the database while it computes, as registering a folder does."""
    _gate(sample_id)
    len(Sample & {"sample_id": sample_id})


def _ignoring_signals(sample_id: int) -> None:
    """Wait at the gate, as a long step of compiled code does."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    _gate(sample_id)


def do_task(folder: Path) -> str:
    if (folder / "wrong").exists():
        raise ValueError("no such animal")
    return "3 animals are new" if (folder / "due").exists() else ""


class DeadlockError(RuntimeError):
    """As a driver raises it."""

    pgcode = "40P01"


def _collide(sample_id: int) -> None:
    """Be the victim of a deadlock, the first time."""
    before = _folder[0] / f"{sample_id}.collided"
    if not before.exists():
        before.touch()
        raise DeadlockError("deadlock detected")


def _buggy(sample_id: int) -> None:
    raise ValueError("cannot reshape array")


def _exits(sample_id: int) -> None:
    sys.exit(3)


# DataJoint empties `declare_list` when it activates a schema.
_CLASSES = tuple(schema.declare_list)

_BEHAVIOURS = {
    "quick": _nothing,
    "slow insert": _nothing,
    "gate": _gate,
    "bad": _bad,
    "copying": _copying,
    "unmounted": _unmounted,
    "lacking": _lacking,
    "orphan": _orphan,
    "collides": _nothing,
    "buggy": _buggy,
    "deadly": _deadly,
    "failing gate": _failing_gate,
    "querying gate": _querying_gate,
    "ignoring signals": _ignoring_signals,
    "exits": _exits,
}
