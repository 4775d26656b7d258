"""Which machine, or container, this is: names may be given twice."""

from __future__ import annotations

import platform
import uuid
from contextlib import suppress
from pathlib import Path

from imaging_pipeline import names

# Linux: another one since each start, and since each container with processes of its own.
_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


def machine_hash() -> str:
    """Return a hash that is equal for processes that see each other's numbers, and else another one."""
    parts = [platform.node()]
    with suppress(OSError):
        parts += [_BOOT.read_text().strip(), str(_PROCESSES.readlink())]
    return names.hash16(*(parts if len(parts) > 1 else [*parts, uuid.getnode()]))
