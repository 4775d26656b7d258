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
from imaging_pipeline.experiments.dataset_types import BAD_FRAMES
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import DatasetRecord, Plan, Request, SessionRecord
from imaging_pipeline.readers.suite2p.bad_frames import read_bad_frames
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, iter_pages
from imaging_pipeline.readers.tiff.stack import TifStack
from imaging_pipeline.schemas.make.fetching import DatasetFile
from imaging_pipeline.schemas.make.scanimage import scanimage_rows
from imaging_pipeline.schemas.make.stacks import read_stack, stack_row
from imaging_pipeline.suite2p_runner.frame_source import FrameSource, describe_source
from imaging_pipeline.suite2p_runner.preflight import TifPart, check_inputs
from tests.altered.analysed import tif_dataset
from tests.altered.pages import identity_in
from tests.makers.registered import Registered

# Long enough for any file to count as copied whole.
_LATER = timedelta(days=400)
_TOO_SHORT = ("too short", "Too few frames are left")


Page = tuple[int, int | None]
"""The acquisition of a page, and what the page is, as Suite2p gets it."""


@dataclass(frozen=True)
class Run:
    """What a run of Suite2p takes.

    Attributes
    ----------
    pages
        All of them, one after the other.
    listed, left_out
        Which frames it is to leave out as the list says, and which frames of the run these are.
    """

    pages: tuple[Page, ...]
    listed: tuple[int, ...] = ()
    left_out: tuple[int, ...] = ()


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
    cut
        Whether only the first pages of each file are taken, as it is damaged.
    bad_frames
        The list of frames that Suite2p is to leave out; None where there is none.
    run
        What a run of Suite2p takes; None where it takes nothing.
    """

    session: SessionRecord
    row: dict[str, Any]
    scanimage: dict[str, Any] | None
    tifs: tuple[Path, ...]
    acquisitions: tuple[int, ...]
    pages: tuple[tuple[int | None, ...], ...]
    cut: tuple[bool, ...]
    bad_frames: Path | None
    run: Run | None

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
    damaged
        The files that it tells to be damaged, by their paths below the folder.
    """

    def __init__(self, path: Path, experiment: str, damaged_tifs: DamagedTifs = DamagedTifs.REFUSE) -> None:
        self.path = path
        self.said: tuple[str, ...] = ()
        self.damaged: tuple[str, ...] = ()
        self._request = Request("moser", path.name, experiment, False, "90218", 0, damaged_tifs=damaged_tifs)
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
        self.damaged = tuple(
            file.path.removeprefix(f"{self.path.name}/") for file in plan.files if tells_damage(file.reason)
        )
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
        lists = self._files(by_type[BAD_FRAMES]) if BAD_FRAMES in by_type else ()
        bad_frames = Path(lists[0].path) if lists else None
        return StoredStack(
            session,
            stack_row(stack),
            rows[0] if rows else None,
            tuple(Path(file.path) for file in tifs),
            tuple(file.acquisition for file in tifs),
            identities(stack.tifs),
            tuple(file.pages_taken is not None for file in tifs),
            bad_frames,
            self._run(stack, [file.acquisition for file in tifs], bad_frames),
        )

    def _files(self, dataset: DatasetRecord) -> tuple[DatasetFile, ...]:
        share = self.path.parent
        return tuple(
            DatasetFile(
                str(share / file.path),
                self._acquisitions[file.address],
                file.part,
                file.fingerprint,
                file.pages_taken,
            )
            for file in dataset.files
        )

    def _run(self, stack: TifStack, acquisitions: Sequence[int], bad_frames: Path | None) -> Run | None:
        listed = read_bad_frames(bad_frames) if bad_frames else ()
        try:
            inputs = check_inputs(stack.tifs, acquisitions, listed)
        except InputError as error:
            if any(words in error.what for words in _TOO_SHORT):
                return None
            raise
        pages = tuple(
            (acquisition, identity_in(image))
            for part, acquisition in zip(inputs.parts, acquisitions, strict=True)
            for image in self._fed(part)
        )
        return Run(pages, listed, inputs.bad_frames)

    def _fed(self, part: TifPart) -> NDArray[np.int16]:
        """Return the pages of a file as Suite2p gets them."""
        described = describe_source(part.tif, part.num_pages, self.path.parent / "offsets")
        return FrameSource.of(described).read(0, part.num_pages)


def identities(tifs: Sequence[RecordedTif[Header]]) -> tuple[tuple[int | None, ...], ...]:
    """Return of each file what each of its pages is, as the package reads them."""
    return tuple(tuple(identity_in(image) for image in iter_pages(tif, range(tif.num_pages))) for tif in tifs)


def tells_damage(reason: str) -> bool:
    """Return True if the report tells of a file that it is cut, or left out by itself, as it is damaged."""
    return reason.startswith("damaged, and left out") or ", damaged: " in reason
