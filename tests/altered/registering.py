"""What registering and importing make of a folder of recordings, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import DatasetRecord, Plan, Request, SessionRecord
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, iter_pages
from imaging_pipeline.readers.tiff.stack import TifStack
from imaging_pipeline.schemas.make.fetching import DatasetFile
from imaging_pipeline.schemas.make.scanimage import scanimage_rows
from imaging_pipeline.schemas.make.stacks import read_stack, stack_row
from imaging_pipeline.suite2p_runner.preflight import check_inputs
from tests.altered.analysed import tif_dataset
from tests.altered.pages import identity_in
from tests.makers.registered import Registered

# Long enough for any file to count as copied whole.
_LATER = timedelta(days=400)


@dataclass(frozen=True)
class StoredStack:
    """The tifs of a session as they are stored.

    Attributes
    ----------
    session
        Which.
    row, scanimage
        Columns of ``Tif`` and of ``Tif.SI``, which is None where the tifs were not written by ScanImage.
    tifs, acquisitions
        The files in order, and the acquisition of each.
    pages
        Of each file, what each of its pages is as the package reads it: an identity, or None where the
        pixels are of none.
    run
        The same of the pages that a run of Suite2p takes, with their acquisition, one after the other; None
        where it takes none.
    """

    session: SessionRecord
    row: dict[str, Any]
    scanimage: dict[str, Any] | None
    tifs: tuple[Path, ...]
    acquisitions: tuple[int, ...]
    pages: tuple[tuple[int | None, ...], ...]
    run: tuple[tuple[int, int | None], ...] | None

    @property
    def mean_image(self) -> NDArray[np.float32]:
        image: NDArray[np.float32] = self.row["mean_image"]
        return image


class Folder:
    """A folder of recordings that is registered, perhaps several times.

    Attributes
    ----------
    said
        What the report of the last registration tells of sessions that are not as their files are.
    """

    def __init__(self, path: Path, experiment: str) -> None:
        self.path = path
        self.said: tuple[str, ...] = ()
        self._request = Request("moser", path.name, experiment, False, "90218", 0)
        self._registered = Registered()
        # Of each file that was ever planned: a column that nothing but the import reads.
        self._acquisitions: dict[str, int] = {}

    def register(self) -> Plan:
        """Register what the folder holds now."""
        stored = self._registered.files()
        now = datetime.now(UTC).replace(tzinfo=None) + _LATER
        plan = make_plan(self._request, scan(self.path), stored, {}, zone=UTC, now=now)
        changes = self._registered.register(plan)
        self.said = tuple(finding.message for finding in changes.findings)
        self._acquisitions |= {
            file.address: file.acquisition
            for metasession in plan.metasessions
            for session in metasession.sessions
            for dataset in session.datasets
            for file in dataset.files
            if not file.is_gone
        }
        return plan

    def stacks(self) -> list[StoredStack]:
        """Import the tifs of every session."""
        sessions = (session for metasession in self._registered.stored for session in metasession.sessions)
        return [stack for session in sessions if (stack := self._stack(session)) is not None]

    def _stack(self, session: SessionRecord) -> StoredStack | None:
        experiment = experiment_type(self._request.experiment_type)
        by_type = {dataset.datasettype: dataset for dataset in session.datasets}
        # A measurement whose tifs are not exported waits for them.
        if experiment.analysed not in by_type:
            return None
        tifs = self._files(by_type[experiment.analysed])
        primary = self._files(by_type[experiment.primary])
        stack = read_stack(tif_dataset(experiment, session.timeseries_name, tifs, primary))
        rows = scanimage_rows(stack)
        return StoredStack(
            session,
            stack_row(stack),
            rows[0] if rows else None,
            tuple(Path(file.path) for file in tifs),
            tuple(file.acquisition for file in tifs),
            identities(stack.tifs),
            _run(stack, [file.acquisition for file in tifs]),
        )

    def _files(self, dataset: DatasetRecord) -> tuple[DatasetFile, ...]:
        share = self.path.parent
        return tuple(
            DatasetFile(str(share / file.path), self._acquisitions[file.address], file.part, file.fingerprint)
            for file in dataset.files
        )


def identities(tifs: Sequence[RecordedTif[Header]]) -> tuple[tuple[int | None, ...], ...]:
    """Return of each file what each of its pages is, as the package reads them."""
    return tuple(tuple(identity_in(image) for image in iter_pages(tif, range(tif.num_pages))) for tif in tifs)


def _run(stack: TifStack, acquisitions: Sequence[int]) -> tuple[tuple[int, int | None], ...] | None:
    try:
        inputs = check_inputs(stack.tifs, acquisitions)
    except InputError as error:
        if "too short" in error.what:
            return None
        raise
    return tuple(
        (acquisition, identity_in(image))
        for part, acquisition in zip(inputs.parts, acquisitions, strict=True)
        for image in iter_pages(part.tif, range(part.num_pages))
    )
