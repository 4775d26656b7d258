"""``session.json``: a person's description of a recording whose tifs have no header."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.choices import near
from imaging_pipeline.errors import FormatError, NothingFoundError, TruncatedError
from imaging_pipeline.readers.regular_file import require_regular_file

FILE_NAME = "session.json"

# In characters; the name is part of the name of a folder, `split_<NAME>_<hash>`.
_LONGEST_NAME = 64
# The largest int32, the type of the columns.
_MAX_COUNT = 2**31 - 1
# These would begin another folder.
_FORBIDDEN = "/\\"


@dataclass(frozen=True)
class SessionJson:
    """How the pages of a recording follow each other, and when they were taken.

    Attributes
    ----------
    timeseries_name
        The name under which the activity was recorded.
    start
        The lab's wall time at which recording started.
    frame_rate_hz
        Single frames a second, of any plane.
    num_planes, num_channels
        Pages go channel fastest, then plane.
    """

    timeseries_name: str
    start: datetime
    frame_rate_hz: float
    num_planes: int
    num_channels: int

    @property
    def volume_rate_hz(self) -> float:
        """Volumes a second."""
        return self.frame_rate_hz / self.num_planes

    @property
    def frames_per_slice(self) -> int:
        """Always 1: such a recording has no slice twice in a volume."""
        return 1

    @property
    def num_flyback_frames(self) -> int:
        """Always 0: each frame is of a plane."""
        return 0

    @property
    def frames_per_volume(self) -> int:
        """Frames from one volume's start to the next one's."""
        return self.num_planes

    @property
    def pages_per_volume(self) -> int:
        """Pages from one volume's start to the next one's."""
        return self.num_channels * self.num_planes


def read_session_json(path: Path) -> SessionJson:
    """Read and check the description of a recording.

    Raises
    ------
    NothingFoundError
        The file is not there.
    TruncatedError
        It ends before its object does.
    FormatError
        It is no JSON object, a key is missing or not known, or a value is of the wrong kind.
    """
    content = _load(path)
    _check_keys(path, content)
    values = {}
    for key, (parse, allowed) in _KEYS.items():
        value = parse(content[key])
        if value is None:
            raise _wrong(
                f"The value of '{key}' is of the wrong kind", path, f"{key} = {content[key]!r}", allowed
            )
        values[key] = value
    return SessionJson(**values)


def _load(path: Path) -> Mapping[str, Any]:
    try:
        require_regular_file(path)
        # Editors on Windows begin UTF-8 with a byte order mark, which this encoding takes away.
        text = path.read_text(encoding="utf-8-sig")
    # NothingFoundError, which the check above raises, is one too: here its advice fits this file.
    except FileNotFoundError as missing:
        raise NothingFoundError(
            f"{FILE_NAME} is not there", path=path, remedy="Write it into the folder of the recording."
        ) from missing
    except UnicodeDecodeError as wrong:
        raise _wrong("The file is no text in UTF-8", path, wrong, "a JSON object") from wrong
    # Windows gives a copy its full size at once: a file that has not arrived yet is all zeros.
    if not text.strip("\0 \r\n\t"):
        raise TruncatedError(
            "The file is empty",
            path=path,
            found="nothing",
            allowed=_EXAMPLE,
            remedy="Fill it in, and register the folder again.",
        )
    try:
        content = strict_json.loads(text)
    except ValueError as wrong:
        raise _wrong("The file is no JSON", path, wrong, _EXAMPLE) from wrong
    if not isinstance(content, Mapping):
        raise _wrong("The file holds no JSON object", path, type(content).__name__, _EXAMPLE)
    return content


def _check_keys(path: Path, content: Mapping[str, Any]) -> None:
    unknown = sorted(set(content) - set(_KEYS))
    missing = [key for key in _KEYS if key not in content]
    if unknown:
        similar = near(unknown[0], missing or _KEYS, 1)
        hint = f"; did you mean '{similar[0]}'?" if similar else ""
        raise _wrong("A key is not known", path, f"'{unknown[0]}'{hint}", ", ".join(_KEYS))
    if missing:
        raise _wrong("Keys are missing", path, f"no {', '.join(missing)}", ", ".join(_KEYS))


def _wrong(what: str, path: Path, found: object, allowed: str) -> FormatError:
    remedy = "correct the file, and register the folder again."
    return FormatError(what, path=path, found=found, allowed=allowed, remedy=remedy)


def _name(value: object) -> str | None:
    if not isinstance(value, str) or value != value.strip() or set(value) & set(_FORBIDDEN):
        return None
    if not strict_json.is_storable(value):
        return None
    return value if 0 < len(value) <= _LONGEST_NAME else None


def _wall_time(value: object) -> datetime | None:
    try:
        # A date without a time would be read as midnight.
        moment = datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None
    return moment if moment is not None and moment.tzinfo is None else None


def _rate(value: object) -> float | None:
    # Python's bool is an int: true would be 1 Hz.
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # NaN, infinity, and whole numbers that no float can hold are none of these.
    return float(value) if 0 < value <= sys.float_info.max else None


def _count(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 1 <= value <= _MAX_COUNT else None


_KEYS: Mapping[str, tuple[Callable[[object], Any], str]] = {
    "timeseries_name": (_name, f"text of up to {_LONGEST_NAME} characters, without / and \\"),
    "start": (_wall_time, "the lab's wall time without a zone, such as 2024-05-17T14:03:09.250"),
    "frame_rate_hz": (_rate, "a number above 0, of single frames a second"),
    "num_planes": (_count, f"a whole number from 1 to {_MAX_COUNT}"),
    "num_channels": (_count, f"a whole number from 1 to {_MAX_COUNT}"),
}
_EXAMPLE = f"an object with {', '.join(_KEYS)}"
