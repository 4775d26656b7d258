"""Everything that is written, changed and stored."""

from __future__ import annotations

from tests.altered.animals import ANIMALS
from tests.altered.cases import Subject
from tests.altered.matlab_cases import MATLAB_OUTPUTS
from tests.altered.output_cases import OUTPUTS
from tests.altered.recording_cases import RECORDINGS

SUBJECTS: tuple[Subject, ...] = (*RECORDINGS, *ANIMALS, OUTPUTS, *MATLAB_OUTPUTS)
