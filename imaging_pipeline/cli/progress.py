"""``imaging-pipeline progress``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_table
from imaging_pipeline.explaining.states import JobState
from imaging_pipeline.schemas.jobs.session_progress import ProgressPage, SessionFilter, progress_page
from imaging_pipeline.wording import counted

# In the order of their columns. The other states do not occur here: jobs for later count as pending, and only
# explanations say that something was not requested.
_MARKS = {
    JobState.DONE: "+",
    JobState.RUNNING: ">",
    JobState.PENDING: "o",
    JobState.ERROR: "E",
    JobState.IGNORED: "i",
    JobState.NOT_YET: ".",
    JobState.DOES_NOT_APPLY: "",
}
_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@click.option("--animal", help="Only sessions of this animal, by its name or identifier.")
@click.option("--user", "username", help="Only sessions that this person registered.")
@click.option("--since", type=_DAY, help="Only sessions of this day or later.")
@click.option("--until", type=_DAY, help="Only sessions of this day or earlier.")
@click.option("--limit", type=click.IntRange(0), default=30, show_default=True, help="How many are listed.")
@click.option("--offset", type=click.IntRange(0), default=0, help="How many newer ones are left out.")
def progress(
    animal: str | None,
    username: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    offset: int,
) -> None:
    """Show how far each table is with each session, the newest first, and with all of them.

    imaging-pipeline explain shows what stands in the way of one.
    """
    first, last = (day.date() if day else None for day in (since, until))
    with connected() as tables:
        page = progress_page(tables, SessionFilter(animal, username, first, last), limit=limit, offset=offset)
    _print_totals(page)
    if page.sessions:
        click.echo()
        _print_sessions(page)
    for line in _more(page, offset):
        click.echo(line)


def _print_totals(page: ProgressPage) -> None:
    shown = [state for state in _MARKS if any(counts.get(state) for counts in page.totals)]
    headings = (f"{_MARKS[state]} {state.words}".strip() for state in shown)
    rows = (
        # Empty in place of 0, so that the numbers stand out.
        (number, table, *(counts.get(state) or None for state in shown))
        for number, (table, counts) in enumerate(zip(page.tables, page.totals, strict=True), 1)
    )
    print_table(("", "table", *headings), rows)


def _print_sessions(page: ProgressPage) -> None:
    # Tables have their numbers of the first list: all names side by side would be wider than a terminal.
    numbers = map(str, range(1, len(page.tables) + 1))
    print_table(
        ("start", "animal", "timeseries", *numbers),
        (
            (
                row.session.start.isoformat(" ", "minutes"),
                row.animal_name,
                row.session.timeseries_name,
                *(_MARKS[state] for state in row.states),
            )
            for row in page.sessions
        ),
    )


def _more(page: ProgressPage, offset: int) -> Iterator[str]:
    listed = offset + len(page.sessions)
    more = f", {page.total - listed} of them older: --offset {listed}" if listed < page.total else ""
    yield f"\n{counted(page.total, 'session')}{more}."
    if page.requests:
        requests = ", ".join(f"{number} {state}" for state, number in page.requests.items())
        yield f"Requests that are not carried out: {requests}."
