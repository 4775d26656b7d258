"""``imaging-pipeline workers``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.cli.printing import text_width
from imaging_pipeline.living_worker import LivingWorker
from imaging_pipeline.schemas.jobs.living_workers import living, silent
from imaging_pipeline.wording import in_words

# Characters: the longest label, and a space or more.
_LABEL_WIDTH = 9
_NONE = "No worker runs. To start one: python -m batch_populate --loop"


@click.command()
def workers() -> None:
    """Show which workers run, what they do, and what their machines lack."""
    with connected() as tables:
        rows = (*living(tables), *silent(tables))
    if not rows:
        click.echo(_NONE)
    for worker in rows:
        click.echo(click.style(worker.name, bold=True))
        for label, text in _facts(worker):
            click.echo(_line(label, text))
        click.echo()


def _facts(worker: LivingWorker) -> Iterator[tuple[str, str]]:
    started = worker.started.isoformat(" ", "minutes")
    yield "on", f"{worker.host}, process {worker.pid}, version {worker.version}, since {started} UTC"
    yield "lanes", ", ".join(worker.lanes)
    if worker.only:
        yield "only", worker.only
    age = in_words(worker.heartbeat_age_s)
    if worker.is_silent:
        yield "SILENT", f"It gave no sign of life for {age}; its jobs go to the next worker that looks."
    else:
        yield "beat", f"{age} ago"
        jobs = [process.doing for process in worker.processes if process.doing]
        yield from (("does", job) for job in jobs or ["nothing, it waits for work"])
    free = {"of scratch": worker.scratch_bytes, "of memory": worker.memory_bytes}
    room = [f"{size / 1e9:,.1f} GB {what}" for what, size in free.items() if size is not None]
    if room:
        yield "free", ", ".join(room)
    for lack in worker.lacks:
        yield "lacks", f"{lack.reason}. What to do: {lack.remedy}"


def _line(label: str, text: str) -> str:
    indent = " " * (_LABEL_WIDTH + 2)
    return textwrap.fill(
        text,
        text_width(),
        initial_indent=f"  {label:<{_LABEL_WIDTH}}",
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
