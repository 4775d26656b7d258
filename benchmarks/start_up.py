"""How long a person waits for the package or the command to start."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measurement import Measurement
from benchmarks.script import Script, run
from benchmarks.timing import interleaved_s

_PEER = "python -c pass"


@dataclass(frozen=True)
class Size:
    """How often each is done."""

    repeats: int = 15


def measure(size: Size, folder: Path) -> Iterator[Measurement]:
    command = Path(sys.executable).with_name("imaging-pipeline")
    floor_s, imported_s, helped_s = interleaved_s(
        _process(folder, sys.executable, "-c", "pass"),
        _process(folder, sys.executable, "-c", "import imaging_pipeline"),
        _process(folder, str(command), "--help"),
        repeats=size.repeats,
    )
    for name, seconds in (("import imaging_pipeline", imported_s), ("imaging-pipeline --help", helped_s)):
        yield Measurement(name, seconds, "s", _PEER, floor_s, at_most=0.3)


def _process(folder: Path, *arguments: str) -> Callable[[], object]:
    return lambda: subprocess.run(arguments, check=True, cwd=folder, stdout=subprocess.DEVNULL)


SCRIPT = Script(full=Size(), tiny=Size(repeats=1), measure=measure)

if __name__ == "__main__":
    run(SCRIPT)
