"""Which errors of the system mean that a share, or the network to it, is down."""

from __future__ import annotations

import errno

# Without those that a person must solve, such as ENOENT, EACCES and ENOSPC.
_NUMBERS = frozenset(
    getattr(errno, name)
    for name in (
        *("EIO", "EREMOTEIO", "ESTALE", "ENOTCONN", "ESHUTDOWN", "ETIMEDOUT"),
        *("ENETDOWN", "ENETUNREACH", "ENETRESET", "EHOSTDOWN", "EHOSTUNREACH"),
        *("ECONNABORTED", "ECONNREFUSED", "ECONNRESET"),
    )
    if hasattr(errno, name)  # each system has its own
)

# Windows' numbers for the same (System Error Codes): remote computer off, path not found, busy, device
# gone, unexpected error, name deleted, time over, unreachable (three), connection aborted.
_NUMBERS_ON_WINDOWS = frozenset({51, 53, 54, 55, 59, 64, 121, 1231, 1232, 1233, 1236})


def is_share_away(error: BaseException | None) -> bool:
    """Return True if an error will pass by itself when the share is back."""
    if not isinstance(error, OSError):
        return False
    return error.errno in _NUMBERS or getattr(error, "winerror", None) in _NUMBERS_ON_WINDOWS
