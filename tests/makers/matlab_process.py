"""Reading MATLAB files in a process of its own, which may crash and has little memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from imaging_pipeline.errors import PipelineError
from imaging_pipeline.readers.matlab.file import open_matlab
from imaging_pipeline.readers.matlab.value import MatlabValue

PROJECT = Path(__file__).parents[2]
VARIABLES = ("Fcell", "ops", "sp")
# Replacements of each byte: bits that make sizes huge or negative, and types that there are not.
_FLIPS = (0x01, 0x08, 0x80, 0xFF)
MORE_BYTES = 600 << 20


@dataclass(frozen=True)
class Reading:
    """What came of reading a file.

    Attributes
    ----------
    kind
        The error's class, or "value".
    message
        The error's.
    is_told
        Whether it is an error that the pipeline raises on purpose, or a value.
    peak_bytes
        How much more memory the process had at most than before.
    """

    kind: str
    message: str
    is_told: bool
    peak_bytes: int


def read_apart(path: Path, more_bytes: int = MORE_BYTES) -> Reading:
    """Read a file in another process that has so much memory, beside that of its modules."""
    return Reading(**json.loads(_run("one", str(path), str(more_bytes))))


def damage_apart(path: Path, first: int, step: int) -> dict[str, int]:
    """Cut and damage a file at one byte of so many in another process, and count what came of it."""
    counts: dict[str, int] = json.loads(_run("damage", str(path), str(first), str(step)))
    return counts


def _run(*arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "-m", __name__, *arguments]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, f"the process ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout


def _read(path: Path) -> Reading:
    before = _peak_bytes()
    try:
        with open_matlab(path, VARIABLES) as content:
            _walk(content)
    except Exception as error:
        return Reading(type(error).__name__, str(error), isinstance(error, PipelineError), 0)
    return Reading("value", "", True, _peak_bytes() - before)


def _peak_bytes() -> int:
    # What getrusage tells includes the process that started this one.
    lines = Path("/proc/self/status").read_text().splitlines()
    (peak_kib,) = (line.split()[1] for line in lines if line.startswith("VmHWM:"))
    return int(peak_kib) << 10


def _walk(content: MatlabValue) -> None:
    """Ask for all that a file holds."""
    waiting = [content]
    while waiting:
        value = waiting.pop()
        if value.kind == "struct":
            waiting += [item for name in value.fields() for item in value.field_values(name)]
        elif value.kind == "cell array":
            waiting += value.cells()
        elif value.kind == "text":
            value.text()
        elif value.kind == "numbers":
            value.vector()


def _damaged(whole: bytes, first: int, step: int) -> Iterator[bytes]:
    for place in range(first, len(whole), step):
        yield whole[:place]
        for flip in _FLIPS:
            yield whole[:place] + bytes([whole[place] ^ flip]) + whole[place + 1 :]


def _damage(path: Path, first: int, step: int) -> dict[str, int]:
    whole, counts = path.read_bytes(), dict[str, int]()
    copy = path.with_name(f"damaged_{first}.mat")
    for content in _damaged(whole, first, step):
        copy.write_bytes(content)
        reading = _read(copy)
        kind = reading.kind if reading.is_told else f"{reading.kind}: {reading.message}"
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _limit_memory(more_bytes: int) -> None:
    from scipy.io import loadmat, savemat  # noqa: F401  so that modules do not count

    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + more_bytes, now + more_bytes))


def _main(arguments: Sequence[str]) -> None:
    path = Path(arguments[1])
    if arguments[0] == "one":
        _limit_memory(int(arguments[2]))
        print(json.dumps(asdict(_read(path))))
    else:
        print(json.dumps(_damage(path, int(arguments[2]), int(arguments[3]))))


if __name__ == "__main__":
    _main(sys.argv[1:])
