"""Outputs whose files are whole, and whose values are of another kind than the program writes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from imaging_pipeline.errors import OutputError, PipelineError
from imaging_pipeline.printable import printable

# How numpy and Python tell of a text in place of a number, of an array of another shape, of an empty list.
_ODD = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)


@contextmanager
def telling_odd_content(path: Path) -> Iterator[None]:
    """Say of which output it is that a value is of another kind than the program writes.

    Raises
    ------
    OutputError
        A conversion in the block failed.
    """
    try:
        yield
    except PipelineError:
        raise
    except _ODD as error:
        raise OutputError(
            "An output of an analysis holds a value of another kind than the program writes",
            path=path,
            found=f"{type(error).__name__}: {printable(error)}",
            remedy="Copy the output again, or run the analysis again.",
        ) from error
