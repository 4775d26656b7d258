"""ScanImage's file names: ``NAME_00001_00002.tif`` is file 2 of acquisition 1 of NAME."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from imaging_pipeline.errors import NamingError

TIF_SUFFIXES = (".tif", ".tiff")

# ScanImage pads its counters to five digits. Nobody records ten thousand acquisitions, but five
# digits without a leading zero are a common animal number. After an acquisition they are a file.
_COUNTER = re.compile(r"0[0-9]{4}")
_LATE_FILE = re.compile(r"[1-9][0-9]{4,}")
_FIVE_DIGITS = re.compile(r"[0-9]{5,}")
_RENAME = "rename the file to NAME_00001_00001.tif, with a name that does not end in five digits."


@dataclass(frozen=True)
class TifName:
    """The pieces of a tif's name; ``file_number`` is None where the microscope did not split."""

    timeseries_name: str
    acquisition: int
    file_number: int | None


def tif_names(folder: Path, names: Sequence[str]) -> dict[str, TifName]:
    """Return the tifs of a folder itself whose names have counters, with their names split.

    Raises
    ------
    NamingError
        There is more than one likely way to split a name.
    """
    split = {
        name: split_tif_name(folder, name)
        for name in names
        if "/" not in name and name.lower().endswith(TIF_SUFFIXES)
    }
    return {name: tif for name, tif in split.items() if tif is not None}


def split_tif_name(folder: Path, name: str, ending: str = "") -> TifName | None:
    """Split a tif's name; None if it has no counter.

    Parameters
    ----------
    folder, name
        Where the file lies, and its name.
    ending
        What stands behind the counters, such as ``_preproc``.

    Raises
    ------
    NamingError
        There is more than one likely way to split the name.
    """
    # Not by a path: a folder may have thousands of files.
    before, _, suffix = name.rpartition(".")
    stem = before if before and suffix else name
    timeseries_name, counters = _apart(stem.removesuffix(ending))
    if not counters or not timeseries_name:
        return None
    _, separator, last = timeseries_name.rpartition("_")
    ends_in_number = separator and _FIVE_DIGITS.fullmatch(last)
    if len(counters) > 2 or (len(counters) == 1 and ends_in_number):
        raise NamingError(
            "The name does not say certainly which numbers are the acquisition and the file",
            path=folder / name,
            found=f"'{timeseries_name}' before {' and '.join(counters)}",
            allowed="NAME_<acquisition>_<file>.tif or NAME_<acquisition>.tif",
            remedy=_RENAME,
        )
    numbers = [int(counter) for counter in counters]
    return TifName(timeseries_name, numbers[0], numbers[1] if len(numbers) == 2 else None)


# A file is recognised by its name, and the numbers in it are checked later.
@lru_cache(maxsize=20_000)
def _apart(stem: str) -> tuple[str, tuple[str, ...]]:
    """Return the name before the counters, and the counters."""
    pieces = stem.split("_")
    is_late = len(pieces) > 2 and _LATE_FILE.fullmatch(pieces[-1]) and _COUNTER.fullmatch(pieces[-2])
    counters = 1 if is_late else 0
    while counters < len(pieces) - 1 and _COUNTER.fullmatch(pieces[-1 - counters]):
        counters += 1
    first = len(pieces) - counters
    return "_".join(pieces[:first]), tuple(pieces[first:])


def check_tif_numbering(folder: Path, tifs: Mapping[str, TifName]) -> None:
    """Refuse two tifs of a folder with the same numbers, and acquisitions or files missing between others.

    Acquisitions may begin at any number, because first tries are thrown away; files begin at 1.

    Raises
    ------
    NamingError
        It names the file and what is missing.
    """
    sessions: dict[str, dict[int, list[tuple[str, TifName]]]] = {}
    for name, tif in sorted(tifs.items(), key=lambda item: item[0]):
        sessions.setdefault(tif.timeseries_name, {}).setdefault(tif.acquisition, []).append((name, tif))
    for timeseries_name, acquisitions in sessions.items():
        for acquisition, files in acquisitions.items():
            _check_files(folder, f"acquisition {acquisition} of '{timeseries_name}'", files)
        missing = _missing(list(acquisitions), first=min(acquisitions))
        if missing:
            raise NamingError(
                f"Acquisitions of '{timeseries_name}' are missing between others",
                path=folder / acquisitions[max(acquisitions)][0][0],
                found=f"acquisitions {_listed(sorted(acquisitions))}, without {_listed(missing)}",
                remedy="copy the missing acquisitions, or rename those that are another session.",
            )


def _check_files(folder: Path, where: str, files: list[tuple[str, TifName]]) -> None:
    numbers = [tif.file_number for _, tif in files]
    # A name without a file number is that of a whole acquisition.
    if None in numbers and len(files) > 1 or len(set(numbers)) < len(numbers):
        raise NamingError(
            f"Two files cannot both be {where}",
            path=folder,
            found=", ".join(sorted(name for name, _ in files)),
            remedy=_RENAME,
        )
    present = [number for number in numbers if number is not None]
    missing = _missing(present, first=1)
    if missing:
        raise NamingError(
            f"Files of {where} are missing before others",
            path=folder / files[-1][0],
            found=f"files {_listed(sorted(present))}, without {_listed(missing)}",
            remedy="copy the missing files.",
        )


def _missing(numbers: list[int], first: int) -> list[int]:
    return sorted(set(range(first, max(numbers, default=first) + 1)) - set(numbers)) if numbers else []


def _listed(numbers: Sequence[int]) -> str:
    shown = ", ".join(str(number) for number in numbers[:10])
    return shown + (f" and {len(numbers) - 10} more" if len(numbers) > 10 else "")
