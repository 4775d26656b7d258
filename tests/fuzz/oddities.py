"""Numbers and texts that programs which read files stumble over."""

from __future__ import annotations

from random import Random

_EDGES = (8, 15, 16, 31, 32, 40, 62, 63, 64)
_LARGE = (10**6, 10**9, 10**12, 2**100, 10**400)
INTEGERS = (
    *(0, 1, 2, 3, 255, 1000),
    *(2**bits + step for bits in _EDGES for step in (-1, 0, 1)),
    *(-1, -2, -(2**31), -(2**31) - 1, -(2**63), -(2**63) - 1),
    *_LARGE,
)
FLOATS = (0.0, -0.0, 1e308, -1e308, 5e-324, float("nan"), float("inf"), float("-inf"), 1e20, -1.0)
TEXTS = (
    "",
    "\0",
    "a\nb\r\x1b[31m",
    "\u202egnp.exe",
    "../../secret/canary.h5",
    "/etc/passwd",
    "%s%n",
    "é" * 300,
    "x" * 70_000,
    "auto",
    "1" * 5000,
    "😀",
)
DTYPES = (
    *("O", "O8", "|O", "V0", "V1000000000", "|S2147483647", "S0", "<U99999999", "<U0", "M8[ns]", "m8[s]"),
    *("f8", "<f4", ">i2", "b1", "c16", "f2", "<f16", "3f4", "(1000000,1000)f8", "i4,O", "", "\0", "f8" * 500),
)


def integer(random: Random) -> int:
    """Return an edge, or any number of up to 64 bits."""
    return random.choice(INTEGERS) if random.random() < 0.8 else random.getrandbits(random.choice(_EDGES))


def sized_integer(random: Random, num_bytes: int) -> bytes:
    """Return the bytes of an edge, little-endian, as far as they fit."""
    return (integer(random) % 256**num_bytes).to_bytes(num_bytes, "little")
