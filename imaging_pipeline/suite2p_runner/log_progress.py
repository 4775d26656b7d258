"""Progress and seconds of each stage, from the lines of Suite2p's log.

Suite2p has no callback, only its logger ``suite2p``. The lines are those of 1.1.0.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass

_PLANE = re.compile(r">+ PLANE (\d+) <+")
_STAGE = re.compile(r"-{5,} ([A-Z ]{5,})$")
_STAGE_SECONDS = re.compile(r"-{5,} Total ([\d.]+) sec")
_BINARY = re.compile(r"(\d+) frames of binary")
_BINARY_SECONDS = re.compile(r"Wrote \d+ frames per binary, .* ([\d.]+)sec")
_METRICS_SECONDS = re.compile(r"Registration metrics, ([\d.]+) sec")
# tqdm: "  45%|####5     | 9/20 [00:10<00:12,  1.08s/it]"
_BATCHES = re.compile(r"\d+%\|.*\| (\d+)/(\d+) \[")

_STAGE_NAMES = {
    "REGISTRATION": "registration",
    "ROI DETECTION": "detection",
    "EXTRACTION": "extraction",
    "SPIKE DECONVOLUTION": "deconvolution",
    "ROI CLASSIFICATION": "classification",
}
_READING = "reading tifs"


@dataclass(frozen=True)
class Step:
    """How far a run is; ``total`` is 0 if it is not known."""

    name: str
    done: int
    total: int


class LogReader:
    """Follows the log of one run.

    Parameters
    ----------
    num_pages
        Pages that Suite2p reads.
    planes
        Numbers of the planes that it analyses.

    Attributes
    ----------
    seconds_by_stage
        Seconds of each stage so far, all planes added up.
    """

    def __init__(self, num_pages: int, planes: tuple[int, ...]) -> None:
        self._num_pages = num_pages
        self._planes = planes
        self._plane = planes[0]
        self._stage = _READING
        self.step = Step(_READING, 0, num_pages)
        self.seconds_by_stage: defaultdict[str, float] = defaultdict(float)

    def read(self, line: str) -> bool:
        """Read a line of the log, and return True if the step changed."""
        before = self.step
        self._note_seconds(line)
        if plane := _PLANE.search(line):
            self._plane = int(plane[1])
        elif (stage := _STAGE.search(line)) and stage[1] in _STAGE_NAMES:
            self._stage = _STAGE_NAMES[stage[1]]
            self.step = self._named(0, 0)
        elif pages := _BINARY.search(line):
            self.step = Step(_READING, int(pages[1]), self._num_pages)
        elif batches := _BATCHES.search(line):
            self.step = self._named(int(batches[1]), int(batches[2]))
        return self.step != before

    def _note_seconds(self, line: str) -> None:
        for pattern, stage in (
            (_STAGE_SECONDS, self._stage),
            (_BINARY_SECONDS, _READING),
            (_METRICS_SECONDS, "registration metrics"),
        ):
            if match := pattern.search(line):
                self.seconds_by_stage[stage] += float(match[1])

    def _named(self, done: int, total: int) -> Step:
        if len(self._planes) == 1:
            return Step(self._stage, done, total)
        # Not the plane's own number: planes that are left out leave gaps.
        position = self._planes.index(self._plane) + 1
        return Step(f"{self._stage}, plane {position} of {len(self._planes)}", done, total)
