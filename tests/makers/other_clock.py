"""Processes whose clock is wrong, as that of a machine without a time server may be."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import util
from pathlib import Path

import pytest

_LIBRARY = Path("vendor", "libfaketime", "src", "libfaketime.so.1")
_SLACK_S = 60.0


@contextmanager
def clock_off_by(minutes: int) -> Iterator[None]:
    """Let processes that are started within the block see a time of day that is off by so much.

    Their durations are right. The test is skipped where this machine cannot do it.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LD_PRELOAD", str(_library()))
        patch.setenv("FAKETIME", f"{minutes:+d}m")
        patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
        shown = subprocess.run(
            [sys.executable, "-c", "import time; print(time.time())"],
            capture_output=True,
            text=True,
            check=False,
        )
        if not shown.stdout or abs(float(shown.stdout) - time.time() - 60 * minutes) > _SLACK_S:
            pytest.skip(f"libfaketime does not work here: {shown.stderr}")
        yield


def _library() -> Path:
    package = util.find_spec("libfaketime") if os.name == "posix" else None
    if (
        package is None
        or not package.origin
        or not (found := Path(package.origin).parent / _LIBRARY).exists()
    ):
        pytest.skip("libfaketime is not installed here")
    return found
