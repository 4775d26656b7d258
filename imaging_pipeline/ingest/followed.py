"""Files of a recording that are not read, because they are links or have no name that a database can hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from imaging_pipeline.errors import PathError, Responsible
from imaging_pipeline.experiments.ignored import ignoring_rule
from imaging_pipeline.experiments.recognised import ExperimentType, Used
from imaging_pipeline.ingest.listing import Skipped


def check_followed(
    experiment: ExperimentType, folder: Path, names: Sequence[str], skipped: Iterable[Skipped]
) -> None:
    """Refuse a folder if something that is passed over is by its name a file of a recording that is read.

    The recording would be registered without that file.

    Parameters
    ----------
    experiment
        Says what files are.
    folder, names
        The folder, and the paths below it of the files that are read.
    skipped
        What is passed over.

    Raises
    ------
    PathError
        A file of a recording is a link, no ordinary file, or has a name that is no text.
    """
    reasons = {skip.path: skip.reason for skip in skipped if ignoring_rule(skip.path) is None}
    if not reasons:
        return
    timeseries = {
        file.path: file.verdict.timeseries_name
        for file in experiment.recognise(folder, [*names, *reasons])
        if isinstance(file.verdict, Used)
    }
    # Of a recording that is passed over as a whole nothing is registered, and the report says so.
    recorded = {timeseries[path] for path in names if path in timeseries}
    for path in sorted(reasons.keys() & timeseries.keys()):
        if timeseries[path] not in recorded:
            continue
        raise PathError(
            "A file of a recording is passed over, and without it the recording would not be whole",
            path=folder / path,
            found=reasons[path],
            remedy="Put the file itself in its place, or take it out of the folder.",
            responsible=Responsible.EXPERIMENTER,
        )
