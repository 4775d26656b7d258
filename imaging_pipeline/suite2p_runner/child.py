"""The process that runs Suite2p: ``python -m imaging_pipeline.suite2p_runner.child``.

It reads one job, a line of JSON, from its standard input, and writes messages, lines of JSON, to its
standard output: any number of ``{"progress": …}``, then ``{"result": …}`` or ``{"error": …}``. When its
standard input closes, its parent has ended or cancelled the run: it removes the run's folder and ends at
once, so that nothing outlives a parent that was killed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import traceback
from collections.abc import Mapping
from typing import Any, TextIO


def main() -> int:
    """Run one job, and return the exit code."""
    channel = _take_standard_output()
    lock = threading.Lock()

    def send(message: Mapping[str, Any]) -> None:
        with lock:
            channel.write(json.dumps(message) + "\n")
            channel.flush()

    job = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, args=(job["folder"],), daemon=True).start()
    try:
        # Imported here, so that a Suite2p or torch that cannot be loaded is reported, too.
        from imaging_pipeline.suite2p_runner.suite2p_call import call_suite2p

        send({"result": call_suite2p(job, send)})
    except Exception as error:
        send({"error": _describe(error)})
        return 1
    return 0


def _take_standard_output() -> TextIO:
    """Reserve standard output for messages; what libraries print goes to standard error."""
    channel = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return channel


def _end_with_parent(folder: str) -> None:
    # Not sys.stdin: a thread that waits for it would hold its lock when the interpreter ends.
    while os.read(0, 1024):
        pass
    shutil.rmtree(folder, ignore_errors=True)
    # Not sys.exit, which would end this thread alone.
    os._exit(1)


def _describe(error: Exception) -> dict[str, Any]:
    return {
        "type": type(error).__name__,
        "message": str(error),
        "errno": error.errno if isinstance(error, OSError) else None,
        "traceback": "".join(traceback.format_exception(error)),
    }


if __name__ == "__main__":
    sys.exit(main())
