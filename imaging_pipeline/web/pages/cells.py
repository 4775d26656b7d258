"""The viewer: images of the field of view, its cells, and their traces."""

from __future__ import annotations

import csv
import gzip
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np
from flask import Blueprint, Response, make_response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError, NothingFoundError
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.queries import cells as queries
from imaging_pipeline.web.queries import regions as region_queries
from imaging_pipeline.web.queries import sample_times as time_queries
from imaging_pipeline.web.queries.cells import Analysis
from imaging_pipeline.web.queries.sample_times import Stretch

blueprint = Blueprint("cells", __name__, url_prefix="/cells/<session_name>")
PAGE = Page(blueprint)

# Samples of a CSV file that are read at a time, so that no file needs much memory.
_BLOCK = 4096


@blueprint.get("/")
def index(session_name: str) -> ResponseReturnValue:
    """Show the viewer."""
    analyses = queries.analyses(tables(), session_name)
    if not analyses:
        raise NothingFoundError(
            "This session has no cells yet",
            found=session_name,
            remedy="Look at the session: its page says how far it is, and what it waits for.",
        )
    session = queries.session(tables(), session_name)
    return render_template("cells/index.html", session=session, viewer=viewer_of(session_name, analyses))


def viewer_of(session_name: str, analyses: Sequence[Analysis]) -> list[dict[str, Any]]:
    """Return the analyses for the template ``cells/_viewer.html``: the plane and the address of each."""
    prefix = url_for("cells.index", session_name=session_name)
    return [
        {"address": f"{prefix}{analysis.dataset_name}/", "plane": analysis.plane} for analysis in analyses
    ]


@blueprint.get("/<dataset_name>/regions")
def regions(session_name: str, dataset_name: str) -> ResponseReturnValue:
    """Return the pixels of the cells of an analysis, and which images and traces it has."""
    analysis = _analysis(session_name, dataset_name)
    if (unchanged := _not_modified(analysis)) is not None:
        return unchanged
    cells = region_queries.regions(tables(), analysis.key)
    images = queries.projection(tables(), analysis)
    runs = {name: values.tolist() for name, values in asdict(cells.runs).items()}
    stretches = time_queries.stretches(tables(), analysis, cells.planes)
    content = {
        "plane": analysis.plane,
        "num_frames": analysis.num_frames,
        "stretches": None if stretches is None else _columns(stretches),
        "quantities": analysis.quantities,
        "parameter_sets": analysis.parameter_sets,
        "projection": None if images is None else asdict(images),
        "cell_ids": cells.cell_ids,
        "planes": cells.planes,
        "measures": cells.measures,
        "runs": runs,
    }
    return _with_etag(compressed(make_response(content)), analysis)


@blueprint.get("/<dataset_name>/image/<name>")
def image(session_name: str, dataset_name: str, name: str) -> ResponseReturnValue:
    """Return an image as float32, little-endian, row by row."""
    analysis = _analysis(session_name, dataset_name)
    if (unchanged := _not_modified(analysis)) is not None:
        return unchanged
    pixels = queries.image(tables(), analysis, name).astype("<f4").tobytes()
    return _with_etag(Response(pixels, mimetype="application/octet-stream"), analysis)


@blueprint.get("/<dataset_name>/traces")
def traces(session_name: str, dataset_name: str) -> ResponseReturnValue:
    """Return a stretch of some cells' traces, in no more points than the plot has pixels for."""
    analysis = _analysis(session_name, dataset_name)
    cell_ids, quantities, frames = (
        _requested_cells(),
        _requested_quantities(analysis),
        _requested_frames(analysis),
    )
    rows, num_points = queries.array_rows(tables(), analysis, cell_ids), _number("points", 2000)
    starts = time_queries.gapless(tables(), analysis, _planes(analysis, cell_ids))
    traces = {name: queries.traces(analysis, rows, name, frames, num_points, starts) for name in quantities}
    # All quantities have their points at the same samples: these depend on the stretch alone.
    samples = next(iter(traces.values())).samples.tolist()
    values = {name: [_plain(row) for row in points.values] for name, points in traces.items()}
    return compressed(make_response({"cell_ids": cell_ids, "samples": samples, "values": values}))


@blueprint.get("/<dataset_name>/traces.csv")
def traces_file(session_name: str, dataset_name: str) -> ResponseReturnValue:
    """Return all samples of a stretch of some cells' traces as a CSV file."""
    analysis = _analysis(session_name, dataset_name)
    cell_ids, quantities, frames = (
        _requested_cells(),
        _requested_quantities(analysis),
        _requested_frames(analysis),
    )
    rows = queries.array_rows(tables(), analysis, cell_ids)
    # Before the first line is sent: an error after that could only cut the file off.
    arrays = [queries.stored(analysis, quantity) for quantity in quantities]
    planes = sorted(set(_planes(analysis, cell_ids)))
    times = [time_queries.times(tables(), analysis, plane) for plane in planes]
    # Planes of a volume are taken one after the other.
    time_names = ["time_s"] if len(planes) == 1 else [f"time_s_plane{plane}" for plane in planes]
    header = ["frame", *time_names, *_trace_names(analysis, quantities, cell_ids)]
    lines = _lines(header, times, arrays, rows, frames)
    response = Response(stream_with_context(lines), mimetype="text/csv")
    name = f"{session_name}_frames_{frames.start}-{frames.stop}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _trace_names(analysis: Analysis, quantities: Sequence[str], cell_ids: Sequence[int]) -> Iterator[str]:
    for quantity in quantities:
        chosen = analysis.parameter_sets.get(quantity)
        for cell in cell_ids:
            # A file is looked at long after, when other sets may be the newest.
            yield f"{quantity}_{cell}" + (f" ({chosen})" if chosen else "")


def _lines(
    header: Sequence[str],
    times: Sequence[NDArray[np.float64]],
    arrays: Sequence[NDArray[np.float32]],
    rows: Sequence[int],
    frames: range,
) -> Iterator[str]:
    yield _csv([header])
    for first in range(frames.start, frames.stop, _BLOCK):
        block = range(first, min(first + _BLOCK, frames.stop))
        columns = [array[row, block.start : block.stop].tolist() for array in arrays for row in rows]
        moments = [[f"{time_s:.6f}" for time_s in each[block.start : block.stop]] for each in times]
        yield _csv(zip(block, *moments, *columns, strict=True))


def _columns(stretches: Mapping[int, Sequence[Stretch]]) -> dict[int, dict[str, list[float]]]:
    """Return the stretches of each plane as lists of equal length, as scripts read them."""
    return {
        plane: {field.name: [getattr(each, field.name) for each in of_plane] for field in fields(Stretch)}
        for plane, of_plane in stretches.items()
    }


def _planes(analysis: Analysis, cell_ids: Sequence[int]) -> list[int]:
    """Return the planes of some cells that exist."""
    if analysis.plane is not None:
        return [analysis.plane]
    planes = region_queries.planes(tables(), analysis.key)
    return [planes[cell_id] for cell_id in cell_ids]


def compressed(response: Response) -> Response:
    """Compress a response for browsers that take it.

    At the lowest level: networks of laboratories are so fast that compressing more would take longer than it
    saves. Pages are not compressed: from its size, others on the network could guess the token in a page.
    """
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"] > 0:
        response.set_data(gzip.compress(response.get_data(), 1))
        response.content_encoding = "gzip"
    return response


def _csv(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _analysis(session_name: str, dataset_name: str) -> Analysis:
    return queries.analysis(tables(), session_name, dataset_name)


def _etag(analysis: Analysis) -> str:
    """Return a name of the content: what is imported never changes, it is only deleted and imported again."""
    # Filtered spikes are made later and have no time of their own here; they add an object, or replace one.
    filtered = analysis.objects.get("filtered_spikes", "").rpartition("/")[2]
    return f"{analysis.dataset_name}-{analysis.version}-{len(analysis.objects)}-{filtered}"


def _not_modified(analysis: Analysis) -> Response | None:
    """Return the response to a browser that has the newest content; None for others."""
    return (
        _with_etag(Response(status=304), analysis)
        if request.if_none_match.contains(_etag(analysis))
        else None
    )


def _with_etag(response: Response, analysis: Analysis) -> Response:
    response.set_etag(_etag(analysis))
    return response


def _requested_cells() -> list[int]:
    typed = request.args.get("cells", "")
    try:
        # Without repetitions, in the order of the request, which is the order of the plots.
        return list(dict.fromkeys(int(cell) for cell in typed.split(",") if cell))
    except ValueError:
        raise _not_valid("cells", typed, "numbers with commas between") from None


def _requested_quantities(analysis: Analysis) -> list[str]:
    """Return the requested quantities; dF/F where the address names none."""
    requested = [name for name in request.args.get("quantities", "df_f").split(",") if name]
    for name in requested:
        # For its error where the analysis has no such quantity; the array itself is only mapped.
        queries.stored(analysis, name)
    if not requested:
        raise _not_valid("quantities", "", ", ".join(queries.QUANTITIES))
    return requested


def _requested_frames(analysis: Analysis) -> range:
    first = _number("first", 0)
    frames = range(max(first, 0), min(_number("end", analysis.num_frames), analysis.num_frames))
    if not frames:
        raise _not_valid("first and end", f"{first} to {frames.stop}", f"0 to {analysis.num_frames}")
    return frames


def _number(name: str, default: int) -> int:
    typed = request.args.get(name, "")
    try:
        return int(typed) if typed else default
    except ValueError:
        raise _not_valid(name, typed, "a whole number") from None


def _not_valid(name: str, found: str, allowed: str) -> InputError:
    return InputError(
        f"The address does not say which {name}",
        found=found,
        allowed=allowed,
        remedy="Open the viewer again.",
    )


def _plain(values: NDArray[np.float32]) -> list[float | None]:
    """Return numbers as JSON has them, with as many digits as float32 has."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]
