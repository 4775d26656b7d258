"""The machine on which the figures were measured."""

from __future__ import annotations

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import psutil

_PACKAGES = ("datajoint", "numpy", "tifffile", "roiextractors", "suite2p", "torch")


def machine_facts() -> str:
    """Return one line: processor, memory, Python, and the packages that matter."""
    versions = [f"{name} {installed}" for name in _PACKAGES if (installed := _version(name))]
    return (
        f"{_processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 1e9:.0f} GB of memory,"
        f" {platform.system()}; Python {platform.python_version()}, {', '.join(versions)}."
    )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _processor() -> str:
    facts = Path("/proc/cpuinfo")
    if facts.exists():
        for line in facts.read_text().splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()
