"""A file of a folder that belongs to a recording."""

from __future__ import annotations

from dataclasses import dataclass

from imaging_pipeline.experiments.recognised import Used


@dataclass(frozen=True)
class RecordedFile:
    """A file, by its path below the folder, that belongs to a dataset."""

    path: str
    used: Used

    @property
    def order(self) -> tuple[int, int, str]:
        """What the files of a dataset are ordered by."""
        return self.used.acquisition, self.used.file_number, self.path
