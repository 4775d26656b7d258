"""Whether this machine can run Suite2p."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from typing import Any

from imaging_pipeline import progress
from imaging_pipeline.checks.finding import Finding, failed, notice, ok
from imaging_pipeline.suite2p_runner.run import is_available, version
from imaging_pipeline.suite2p_runner.run_settings import cellpose_models

_TESTED_VERSION = "1.1.0"
_MODULE = "imaging_pipeline.checks.suite2p_process"
_WITHIN_S = 300
_INSTALL = "Install the extra imaging-pipeline[suite2p]"


def check_suite2p() -> tuple[Finding, ...]:
    """Look for Suite2p, and import it in a process of its own, which takes seconds."""
    installed = version()
    if installed is None:
        return (
            notice(
                "suite2p",
                "not installed: runs of Suite2p are left for other machines",
                f"{_INSTALL} where they are to be done here.",
            ),
        )
    if not is_available():
        found = f"{installed}, which the pipeline cannot run, or torch is not installed"
        return (notice("suite2p", found, f"{_INSTALL}, which has {_TESTED_VERSION}."),)
    # In a process of its own: importing it takes gigabytes, which this process would keep, and a library that
    # crashes ends that process only.
    progress.report("importing Suite2p in a process of its own, which takes some seconds")
    try:
        facts = _facts()
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        return (
            failed(
                "suite2p",
                f"{installed} is installed, but cannot be imported: {_reason(error)}",
                f"{_INSTALL} anew.",
            ),
        )
    return (_version(installed), _torch(facts), _classifier(facts), _cellpose())


def _facts() -> dict[str, Any]:
    """Import Suite2p in a process whose home is not the person's, since it writes there."""
    with tempfile.TemporaryDirectory() as home:
        ran = subprocess.run(
            [sys.executable, "-m", _MODULE, home],
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_WITHIN_S,
            check=True,
        )
    # The last line alone: packages may print lines of their own while they are imported.
    facts: dict[str, Any] = json.loads(ran.stdout.splitlines()[-1])
    return facts


def _reason(error: Exception) -> str:
    output = getattr(error, "stderr", None)
    lines = str(output or error).strip().splitlines()
    return lines[-1] if lines else type(error).__name__


def _version(installed: str) -> Finding:
    if installed != _TESTED_VERSION:
        return notice("suite2p", f"{installed}, while {_TESTED_VERSION} is supported", f"{_INSTALL}.")
    return ok("suite2p", f"{installed}, can be imported")


def _torch(facts: dict[str, Any]) -> Finding:
    if facts["device"]:
        return ok("torch", f"{facts['torch']}, on {facts['device']} (CUDA {facts['cuda']})")
    if facts["cuda"]:
        return notice(
            "torch",
            f"{facts['torch']}, made for CUDA {facts['cuda']}, but it finds no device:"
            " runs take the processor",
            "See whether nvidia-smi shows a device, and whether its driver is new enough.",
        )
    return ok("torch", f"{facts['torch']}, on the processor, with {facts['threads']} threads")


def _classifier(facts: dict[str, Any]) -> Finding:
    if not facts["has_classifier"]:
        return failed("classifier", "Suite2p's own is not there", f"{_INSTALL} anew.")
    return ok("classifier", "Suite2p's own, unless an option set names another")


def _cellpose() -> Finding:
    folder = cellpose_models()
    models = sorted(path.name for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if models:
        return ok("cellpose", f"weights of {', '.join(models)} in {folder}")
    return ok("cellpose", f"no weights in {folder}; only option sets with anatomical detection need them")
