"""Comparisons with the colony system: what they changed, and when the next is due."""

from __future__ import annotations

from flask.typing import ResponseReturnValue

from imaging_pipeline.colony.sources.registry import configured_source
from imaging_pipeline.colony.sync import due_in_s
from imaging_pipeline.errors import PipelineError
from imaging_pipeline.web.connections import tables
from imaging_pipeline.web.htmx import rendered
from imaging_pipeline.web.pages.administration.subjects import blueprint
from imaging_pipeline.web.paging import page_number
from imaging_pipeline.web.queries import colony as queries


@blueprint.get("/colony")
def colony() -> ResponseReturnValue:
    """List comparisons, the newest first."""
    bound, configuration_error, source = tables(), None, None
    try:
        source = configured_source(bound.config)
    except PipelineError as error:
        configuration_error = error
    return rendered(
        "administration/colony.html",
        "administration/_runs.html",
        runs=queries.runs(bound, page_number()),
        source=source,
        error=configuration_error,
        every_min=bound.config.mlims_every_min,
        due_s=due_in_s(bound),
    )


@blueprint.get("/colony/<int:number>")
def colony_run(number: int) -> ResponseReturnValue:
    """Show a comparison: what it changed, field by field, and the rows that it skipped."""
    run = queries.run(tables(), number)
    return rendered(
        "administration/run.html",
        "administration/_fields.html",
        run=run,
        fields=queries.fields(tables(), number, page_number()),
        skipped=queries.skipped(tables(), number),
    )
