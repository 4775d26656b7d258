"""Stands in for torch: what the call of Suite2p asks of it."""

from types import SimpleNamespace

__version__ = "2.0.0"

version = SimpleNamespace(cuda="0")
cuda = SimpleNamespace(is_available=lambda: False)


def set_num_threads(threads: int) -> None:
    if threads < 1:
        raise RuntimeError("set_num_threads expects a positive integer")
