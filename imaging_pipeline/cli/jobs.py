"""``imaging-pipeline jobs``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import click

from imaging_pipeline.cli import jobs_text
from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import print_table, text_width
from imaging_pipeline.errors import InputError
from imaging_pipeline.explaining.states import JOB_STATES, JobState
from imaging_pipeline.schemas.jobs.actions import Action, act
from imaging_pipeline.schemas.jobs.durations import durations
from imaging_pipeline.schemas.jobs.failures import failures
from imaging_pipeline.schemas.jobs.listing import list_jobs
from imaging_pipeline.schemas.jobs.overview import overview
from imaging_pipeline.schemas.jobs.selection import Selection
from imaging_pipeline.schemas.register.named_sessions import named
from imaging_pipeline.schemas.tables import Tables
from imaging_pipeline.wording import wrapped

# Sooner than all jobs that nobody gave a priority, which have 5.
_FIRST = 0

_Command = Callable[..., None]


def _selecting(command: _Command) -> _Command:
    """Add the options to a command that say which jobs are meant."""
    # In reverse: help shows the option first that was added last.
    options = (
        click.option("--error", default="", metavar="WORDS", help="Only jobs whose message has these words."),
        click.option("--animal", help="Where several animals have a timeseries of that name."),
        click.option("--session", metavar="SESSION|FOLDER", help="Only jobs of it, as explain takes it."),
        click.option("--table", help="Only jobs of this table, such as Tif."),
    )
    for option in options:
        command = option(command)
    return command


def _acting(command: _Command) -> _Command:
    """Add the options and the argument to a command that changes jobs."""
    command = click.option("--user", "username", help="Who does it; else the account of the database.")(
        command
    )
    command = click.option("--reason", default="", help="Why; it is kept.")(command)
    return click.argument("key", nargs=-1, metavar="[NAME=VALUE]...")(_selecting(command))


@click.group(invoke_without_command=True)
@_selecting
@click.option(
    "--status", type=click.Choice([str(state) for state in JOB_STATES]), help="List these one by one."
)
@click.option("--limit", default=50, show_default=True, help="How many are listed one by one.")
@click.pass_context
def jobs(context: click.Context, /, status: str | None, limit: int, **which: Any) -> None:
    """Count jobs by table, and show what runs, what failed and why; or change jobs.

    With a command, options are typed after it.
    """
    if context.invoked_subcommand is not None:
        if status or any(which.values()):
            raise click.UsageError("Give the options after the command.")
        return
    with connected() as tables:
        selection = _selection(tables, which)
        if status is not None:
            _list(tables, selection, JobState(status), limit)
        else:
            _overview(tables, selection, limit)


@jobs.command()
@_acting
def retry(key: tuple[str, ...], **inputs: Any) -> None:
    """Try jobs again that failed or are ignored, and try those now that wait for later.

    Options select them, or columns of their key: session_name=… dataset_name=….
    """
    _act(Action.RETRY, key, **inputs)


@jobs.command()
@_acting
def ignore(key: tuple[str, ...], **inputs: Any) -> None:
    """Leave jobs alone until they are tried again, or their folder is registered again.

    Options select them, or columns of their key: session_name=… dataset_name=….
    """
    _act(Action.IGNORE, key, **inputs)


@jobs.command()
@_acting
@click.option(
    "--priority",
    # The range of DataJoint's column, an int8.
    type=click.IntRange(-128, 127),
    default=_FIRST,
    show_default=True,
    help="Lower is sooner; jobs begin with 5.",
)
def prioritise(key: tuple[str, ...], priority: int, **inputs: Any) -> None:
    """Let jobs be made sooner than others, or later; not those that follow from what they make.

    Options select them, or columns of their key: session_name=… dataset_name=….
    """
    _act(Action.PRIORITISE, key, priority=priority, **inputs)


def _selection(tables: Tables, which: Mapping[str, str | None], key: Iterable[str] = ()) -> Selection:
    session, animal = which["session"], which["animal"]
    if animal and not session:
        raise click.UsageError("--animal says whose --session is meant; give that too.")
    sessions = None if session is None else named(tables, session, animal=animal)
    return Selection(which["table"], sessions, dict(map(_pair, key)), which["error"] or "")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InputError(
            "A column of a key needs a value",
            found=text,
            allowed="name=value, such as basefolder_id=4",
            remedy="correct it, or say --session or --table.",
        )
    return name.strip(), value.strip()


def _act(
    action: Action,
    key: tuple[str, ...],
    *,
    username: str | None,
    reason: str,
    priority: int | None = None,
    **which: Any,
) -> None:
    with connected() as tables:
        selection = _selection(tables, which, key)
        result = act(tables, action, selection, priority=priority, username=username, reason=reason)
        for line in jobs_text.result_lines(tables, action, result):
            click.echo(wrapped(line, text_width()))


def _overview(tables: Tables, selection: Selection, limit: int) -> None:
    counted = overview(tables, selection)
    columns, rows = jobs_text.counts(counted)
    if rows:
        print_table(columns, rows)
    else:
        click.echo("Nothing is to be made.")
    columns, rows = jobs_text.durations(counted, durations(tables, selection))
    if rows:
        click.echo()
        print_table(columns, rows)
    running = list_jobs(tables, selection, (JobState.RUNNING,), limit=limit)
    blocks = (jobs_text.job_lines(running), jobs_text.failure_lines(failures(tables, selection)))
    for block in blocks:
        lines = list(block)
        if lines:
            click.echo()
        for line in lines:
            click.echo(wrapped(line, text_width()))


def _list(tables: Tables, selection: Selection, state: JobState, limit: int) -> None:
    page = list_jobs(tables, selection, (state,), limit=limit)
    for line in jobs_text.job_lines(page) if page.total else ("No such job is there.",):
        click.echo(wrapped(line, text_width()))
