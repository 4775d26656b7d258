"""``imaging-pipeline suite2p``."""

from __future__ import annotations

from pathlib import Path

import click

from imaging_pipeline.suite2p_runner.window import open_window, rois_file


@click.command()
@click.argument("output", type=click.Path(path_type=Path))
def suite2p(output: Path) -> None:
    """Open an output in Suite2p's window, to say which regions are cells.

    OUTPUT is a folder on this machine: of the output, of a plane of it, or one with a single output in it.
    Save in the window, then register the recording's folder again.
    """
    open_window(rois_file(output.absolute()))
