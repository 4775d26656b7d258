"""Plain tifs: a folder of stacks without a header, and a ``session.json`` that describes them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from pathlib import Path

from imaging_pipeline.errors import NamingError
from imaging_pipeline.experiments.dataset_types import SESSION_JSON, TIF
from imaging_pipeline.experiments.recognised import (
    Examined,
    ExperimentType,
    Part,
    Recognised,
    StackFiles,
    Unknown,
    Used,
)
from imaging_pipeline.names import hash16
from imaging_pipeline.readers.session_json import FILE_NAME, read_session_json
from imaging_pipeline.readers.tiff.recorded import Header, RecordedTif, read_plain_tif


class PlainTifs(ExperimentType):
    """A folder of plain tifs: all of them are one session, which its ``session.json`` describes."""

    name = "plain tifs"
    primary = SESSION_JSON
    analysed = TIF
    container = FILE_NAME

    def parts(self, path: Path) -> Mapping[str, Part]:
        """Read ``session.json``, whose one part is named after the timeseries.

        Raises
        ------
        TruncatedError, FormatError
            As for `read_session_json`.
        """
        if path.name != FILE_NAME:
            return {}
        session = read_session_json(path)
        return {session.timeseries_name: Part(Examined(session.start), hash16(*astuple(session)))}

    def recognise(self, folder: Path, names: Sequence[str]) -> tuple[Recognised, ...]:
        """Return the verdict on each file, by names alone."""
        timeseries_names = [name.partition("/")[2] for name in names if _is_described(name)]
        numbers = {name: number for number, name in enumerate(_tifs_in_order(names), 1)}
        recognised = []
        for name in sorted(names):
            verdict: Used | Unknown
            if _is_described(name):
                verdict = Used(SESSION_JSON, "json", name.partition("/")[2], 0)
            elif name not in numbers:
                verdict = Unknown(f"neither a tif in the folder itself nor its {FILE_NAME}")
            elif timeseries_names:
                verdict = Used(TIF, "tif", timeseries_names[0], 1, numbers[name])
            else:
                verdict = Unknown(f"the folder has no {FILE_NAME}", lacks_recording=True)
            recognised.append(Recognised(name, verdict))
        return tuple(recognised)

    def check_numbering(self, folder: Path, names: Sequence[str]) -> None:
        """Accept any names: nothing in them shows that a piece is missing."""

    def check_complete(self, folder: Path, names: Sequence[str]) -> None:
        """Refuse a ``session.json`` without tifs.

        Raises
        ------
        NamingError
        """
        if not _tifs_in_order(names):
            raise NamingError(
                "There is no tif beside the file that describes them",
                path=folder / FILE_NAME,
                allowed="names that end in .tif or .tiff, in the same folder",
                remedy="copy the tifs into the folder.",
            )

    def read_tifs(self, files: StackFiles) -> tuple[RecordedTif[Header], ...]:
        """Count the pages of the tifs; ``session.json`` says how they were taken.

        Raises
        ------
        NothingFoundError, FormatError
            A file is gone, truncated, or not what its format says.
        """
        session = read_session_json(files.primary[0].path)
        return tuple(read_plain_tif(file.path, session, file.pages_taken) for file in files.tifs)


def _is_described(name: str) -> bool:
    """Return True if a path is that of a timeseries in ``session.json``."""
    return name.startswith(f"{FILE_NAME}/")


def _tifs_in_order(names: Sequence[str]) -> list[str]:
    """Return the tifs of the folder itself; numbers in their names count as such, so that 2 is before 10."""
    tifs = [name for name in names if re.fullmatch(r"[^/]+\.tiff?", name, re.IGNORECASE)]
    return sorted(tifs, key=lambda name: (_texts_and_numbers(name), name))


def _texts_and_numbers(name: str) -> list[tuple[str, int]]:
    pieces = re.findall(r"([^0-9]*)([0-9]*)", name)
    return [(text.lower(), int(digits or 0)) for text, digits in pieces]
