"""The viewer: images of the field of view, the cells in them, and their traces."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from flask import Blueprint, Response, make_response, render_template, request, stream_with_context, url_for
from flask.typing import ResponseReturnValue
from numpy.typing import NDArray

from imaging_pipeline.errors import InputError, NothingFoundError
from imaging_pipeline.web.compressed import compressed
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.page import Page
from imaging_pipeline.web.queries import cells as queries
from imaging_pipeline.web.queries import regions as of_regions
from imaging_pipeline.web.queries.cells import Analysis

blueprint = Blueprint("cells", __name__, url_prefix="/cells/<session_name>")
PAGE = Page(blueprint)

# Samples of a file at a time.
_BLOCK = 4096


@blueprint.get("/")
def index(session_name: str) -> ResponseReturnValue:
    """Show the viewer."""
    found = queries.analyses(tables(), session_name)
    if not found:
        raise NothingFoundError(
            "This session has no cells yet",
            found=session_name,
            remedy="Look at the session: it tells how far it is, and what it waits for.",
        )
    session = queries.session(tables(), session_name)
    return render_template("cells/index.html", session=session, viewer=viewer_of(session_name, found))


def viewer_of(session_name: str, analyses: Sequence[Analysis]) -> list[dict[str, Any]]:
    """Return what the template ``cells/_viewer.html`` shows: each analysis, and where its content is."""
    whole = url_for("cells.index", session_name=session_name)
    return [{"address": f"{whole}{each.dataset_name}/", "plane": each.plane} for each in analyses]


@blueprint.get("/<dataset_name>/regions")
def regions(session_name: str, dataset_name: str) -> ResponseReturnValue:
    """Return where the cells of an analysis are, and which images and traces there are."""
    shown = _shown(session_name, dataset_name)
    if (known := _known_already(shown)) is not None:
        return known
    found = of_regions.regions(tables(), shown.key)
    images = queries.projection(tables(), shown)
    runs = {name: values.tolist() for name, values in asdict(found.runs).items()}
    answer = {
        "plane": shown.plane,
        "num_frames": shown.num_frames,
        "rate_hz": shown.rate_hz,
        "quantities": shown.quantities,
        "projection": None if images is None else asdict(images),
        "cell_ids": found.cell_ids,
        "planes": found.planes,
        "measures": found.measures,
        "runs": runs,
    }
    return _kept(compressed(make_response(answer)), shown)


@blueprint.get("/<dataset_name>/image/<name>")
def image(session_name: str, dataset_name: str, name: str) -> ResponseReturnValue:
    """Return an image as float32, little-endian, row by row."""
    shown = _shown(session_name, dataset_name)
    if (known := _known_already(shown)) is not None:
        return known
    pixels = queries.image(tables(), shown, name).astype("<f4").tobytes()
    return _kept(Response(pixels, mimetype="application/octet-stream"), shown)


@blueprint.get("/<dataset_name>/traces")
def traces(session_name: str, dataset_name: str) -> ResponseReturnValue:
    """Return a stretch of some cells' traces, in as many points as the picture has room for."""
    shown = _shown(session_name, dataset_name)
    cell_ids, quantities, frames = _asked_cells(), _asked_quantities(shown), _asked_frames(shown)
    rows, num_points = queries.array_rows(tables(), shown, cell_ids), _number("points", 2000)
    drawn = {quantity: queries.traces(shown, rows, quantity, frames, num_points) for quantity in quantities}
    samples = next(iter(drawn.values())).samples.tolist()
    values = {quantity: [_plain(row) for row in found.values] for quantity, found in drawn.items()}
    return compressed(make_response({"cell_ids": cell_ids, "samples": samples, "values": values}))


@blueprint.get("/<dataset_name>/traces.csv")
def traces_file(session_name: str, dataset_name: str) -> ResponseReturnValue:
    """Return all samples of a stretch of some cells' traces as a CSV file."""
    shown = _shown(session_name, dataset_name)
    cell_ids, quantities, frames = _asked_cells(), _asked_quantities(shown), _asked_frames(shown)
    rows = queries.array_rows(tables(), shown, cell_ids)
    arrays = [queries.stored(shown, quantity) for quantity in quantities]
    heads = ["frame", "time_s", *(f"{quantity}_{cell}" for quantity in quantities for cell in cell_ids)]
    lines = _lines(heads, arrays, rows, frames, shown.rate_hz)
    response = Response(stream_with_context(lines), mimetype="text/csv")
    name = f"{session_name}_frames_{frames.start}-{frames.stop}.csv"
    response.headers.set("Content-Disposition", "attachment", filename=name)
    return response


def _lines(
    heads: Sequence[str],
    arrays: Sequence[NDArray[np.float32]],
    rows: Sequence[int],
    frames: range,
    rate_hz: float,
) -> Iterator[str]:
    yield _csv([heads])
    for first in range(frames.start, frames.stop, _BLOCK):
        block = range(first, min(first + _BLOCK, frames.stop))
        columns = [array[row, block.start : block.stop].tolist() for array in arrays for row in rows]
        times = [f"{frame / rate_hz:.6f}" for frame in block]
        yield _csv(zip(block, times, *columns, strict=True))


def _csv(rows: Any) -> str:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _shown(session_name: str, dataset_name: str) -> Analysis:
    return queries.analysis(tables(), session_name, dataset_name)


def _etag(shown: Analysis) -> str:
    """Name the content: what is imported is never changed, only deleted and imported anew."""
    return f"{shown.dataset_name}-{shown.version}-{len(shown.objects)}"


def _known_already(shown: Analysis) -> Response | None:
    """Return the answer to a browser that has the newest content."""
    return _kept(Response(status=304), shown) if request.if_none_match.contains(_etag(shown)) else None


def _kept(response: Response, shown: Analysis) -> Response:
    response.set_etag(_etag(shown))
    return response


def _asked_cells() -> list[int]:
    typed = request.args.get("cells", "")
    try:
        return list(dict.fromkeys(int(cell) for cell in typed.split(",") if cell))
    except ValueError:
        raise _not_understood("cells", typed, "numbers with commas between") from None


def _asked_quantities(shown: Analysis) -> list[str]:
    """Return the quantities that are asked for; dF/F where nothing is said."""
    asked = [name for name in request.args.get("quantities", "df_f").split(",") if name]
    for name in asked:
        queries.stored(shown, name)
    if not asked:
        raise _not_understood("quantities", "", ", ".join(queries.QUANTITIES))
    return asked


def _asked_frames(shown: Analysis) -> range:
    first = _number("first", 0)
    frames = range(max(first, 0), min(_number("end", shown.num_frames), shown.num_frames))
    if not frames:
        raise _not_understood("first and end", f"{first} to {frames.stop}", f"0 to {shown.num_frames}")
    return frames


def _number(name: str, default: int) -> int:
    typed = request.args.get(name, "")
    try:
        return int(typed) if typed else default
    except ValueError:
        raise _not_understood(name, typed, "a whole number") from None


def _not_understood(name: str, found: str, allowed: str) -> InputError:
    return InputError(
        f"The address does not say which {name}",
        found=found,
        allowed=allowed,
        remedy="Open the viewer again.",
    )


def _plain(values: NDArray[np.float32]) -> list[float | None]:
    """Return numbers as JSON has them, with as many digits as float32 has."""
    return [float(f"{value:.6g}") if math.isfinite(value) else None for value in values.tolist()]
