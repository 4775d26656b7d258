"""Runs of the stand-in for Suite2p on small recordings, and what is left of a failed one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from imaging_pipeline import progress
from imaging_pipeline.demo.scanimage_file import ScanImageSettings, write_stack
from imaging_pipeline.errors import PipelineError, Responsible
from imaging_pipeline.readers.scanimage.tif import read_tif
from imaging_pipeline.readers.suite2p.output import find_outputs, read_output, read_traces
from imaging_pipeline.readers.tiff.recorded import iter_pages
from imaging_pipeline.suite2p_runner.run import RunRequest, RunResult, run
from tests.makers.stand_in_suite2p import StandIn
from tests.makers.suite2p_output import write_output

NUM_ROIS = 5
RIGID = {"registration": {"nonrigid": False}}
SETTINGS = ScanImageSettings(20.0)


@dataclass(frozen=True)
class Runs:
    """A recording on a share where an older output lies, to be run with the stand-in."""

    stand_in: StandIn
    request: RunRequest

    @property
    def share(self) -> Path:
        return self.request.target.parents[2]

    @property
    def tifs(self) -> tuple[Path, ...]:
        return tuple(tif.path for tif in self.request.tifs)

    def run(self, on_step: Callable[[progress.Progress], None] = lambda _step: None) -> RunResult:
        with progress.listening(on_step):
            return run(self.request)

    def failed(self, on_step: Callable[[progress.Progress], None] = lambda _step: None) -> PipelineError:
        """Run, and give the error that must come of it."""
        try:
            result = self.run(on_step)
        except PipelineError as error:
            return error
        raise AssertionError(f"there was no error, but {result}")

    def assert_nothing_is_left(self) -> None:
        """The scratch is empty, and beside the recording lies the older output alone, as it was."""
        assert list(self.request.scratch.iterdir()) == []
        self.assert_place_is_untouched()

    def assert_place_is_untouched(self) -> None:
        place = self.request.target
        assert [path.name for path in place.parent.iterdir()] == [place.name]
        assert (place / "by_hand.txt").read_text() == "an older output"

    def assert_it_succeeds_now(self) -> None:
        """Without orders the same request gives a whole output of these tifs, and sets the older aside."""
        self.stand_in.order()
        result = self.run()
        assert not result.adopted
        np.testing.assert_array_equal(traces(result.target), expected_traces(self.request))
        self._assert_the_place_is_in_order()

    def assert_the_finished_run_is_copied_now(self) -> None:
        """The output arrives although Suite2p can run no more, and nothing else is left beside it."""
        self.stand_in.order("kill", "reading tifs")
        result = self.run()
        assert not result.adopted
        np.testing.assert_array_equal(traces(result.target), expected_traces(self.request))
        self._assert_the_place_is_in_order()

    def _assert_the_place_is_in_order(self) -> None:
        assert list(self.request.scratch.iterdir()) == []
        names = sorted(path.name.split("-")[0] for path in self.request.target.parent.iterdir())
        assert names == ["small", "small.superseded"]


def write_runs(
    folder: Path,
    stand_in: StandIn,
    pages: Sequence[int] = (12, 14),
    settings: ScanImageSettings = SETTINGS,
    output_share: Path | None = None,
) -> Runs:
    """Write acquisitions of so many pages each, and an older output at the place of theirs.

    The place is beside the tifs, or on a share of its own.
    """
    recording = folder / "share" / "day1"
    recording.mkdir(parents=True)
    tifs = []
    for number, count in enumerate(pages, 1):
        path = recording / f"m_{number:05d}_00001.tif"
        random = np.random.default_rng(number)
        movie = random.integers(0, 3000, (count, 12, 16), np.int16)
        write_stack(path, movie, replace(settings, acquisition=number))
        tifs.append(read_tif(path))
    target = (output_share or recording.parent) / "day1" / "combined_0123456789abcdef" / "small"
    write_output(target / "suite2p")
    (target / "by_hand.txt").write_text("an older output")
    request = RunRequest(
        tifs=tuple(tifs),
        acquisitions=tuple(range(len(tifs))),
        settings=RIGID,
        target=target,
        scratch=folder / "scratch",
        identity={"ops_name": "small"},
        threads=1,
    )
    return Runs(stand_in, request)


def traces(target: Path) -> np.ndarray:
    """Return the fluorescence of an output of one plane."""
    (root,) = find_outputs(target)
    return read_traces(read_output(root).planes[0]).fluo


def expected_traces(request: RunRequest) -> np.ndarray:
    """Return what the stand-in makes of the tifs, when it reads each from its first page to its last."""
    return mean_rows([page for tif in request.tifs for page in iter_pages(tif, range(tif.num_pages))])


def mean_rows(pages: Sequence[np.ndarray]) -> np.ndarray:
    """Return the stand-in's traces of these pages: of ROI k the mean over row k."""
    return np.stack([[page[roi].mean() for page in pages] for roi in range(NUM_ROIS)]).astype(np.float32)


def assert_told(
    error: PipelineError, *, path: Path, found: str, remedy: str, responsible: Responsible
) -> None:
    """An error names its file, what was found there, what to do and whose responsible it is."""
    assert (error.path, error.responsible) == (str(path), responsible), error
    assert found in str(error.found), error
    assert remedy in error.remedy, error
