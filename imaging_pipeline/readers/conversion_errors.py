"""Errors of numpy and Python about values of another kind than a program writes, as errors of ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imaging_pipeline.errors import OutputError, PipelineError
from imaging_pipeline.printable import printable

# What numpy and Python raise for a text in place of a number, an array of another shape, an empty list.
_ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@contextmanager
def conversion_errors(path: Path) -> Iterator[None]:
    """Turn a failed conversion of a value into an error that names the output.

    Raises
    ------
    OutputError
        A conversion in the block failed.
    """
    try:
        yield
    # Most of these are a ValueError as well, and say more than the error below.
    except PipelineError:
        raise
    except _ODD as error:
        raise OutputError(
            "An output of an analysis holds a value of another kind than the program writes",
            path=path,
            found=f"no {error}" if isinstance(error, LookupError) else printable(error),
            remedy="Put back a copy that is whole; only where there is none, run the analysis again.",
        ) from error
