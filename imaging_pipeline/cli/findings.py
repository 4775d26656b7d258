"""How commands print what a check found."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

import click

from imaging_pipeline.checks.finding import Finding, Severity
from imaging_pipeline.checks.values import Value
from imaging_pipeline.cli.printing import text_width

_MIN_TEXT_WIDTH = 30
_COMMAND = "imaging-pipeline "
_NO_BREAK = "\u00a0"
_SEVERITIES = {
    Severity.OK: ("ok", "green"),
    Severity.NOTICE: ("notice", "yellow"),
    Severity.FAILED: ("FAILED", "red"),
}
_STATE_WIDTH = 8
_SUBJECT_WIDTH = 13


def print_heading(title: str) -> None:
    """Print a section's title after an empty line."""
    click.echo("\n" + click.style(title, bold=True))


def print_findings(findings: Sequence[Finding]) -> None:
    """Print a line for each finding, with what to do below it."""
    indent = 2 + _STATE_WIDTH + _SUBJECT_WIDTH
    for finding in findings:
        word, colour = _SEVERITIES[finding.severity]
        lines = [line for fact in finding.found.splitlines() for line in _wrapped(fact, indent)]
        if finding.remedy:
            lines += _wrapped(f"What to do ({finding.responsible}): {finding.remedy}", indent)
        subject = f"{finding.subject:<{_SUBJECT_WIDTH}}"
        if not subject.endswith(" "):
            # It takes its own line.
            subject, lines = finding.subject, ["", *lines]
        click.echo(f"  {click.style(f'{word:<{_STATE_WIDTH}}', fg=colour)}{subject}{lines[0]}".rstrip())
        for line in lines[1:]:
            click.echo(" " * indent + line)


def print_values(values: Sequence[Value]) -> None:
    """Print a line for each value: its key, where it comes from, and the value."""
    keys = max(len(value.key) for value in values) + 2
    sources = max(len(value.source) for value in values) + 2
    indent = 2 + keys + sources
    for value in values:
        lines = [line for entry in value.text.splitlines() for line in _wrapped(entry, indent)]
        click.echo(f"  {value.key:<{keys}}{value.source:<{sources}}{lines[0]}")
        for line in lines[1:]:
            click.echo(" " * indent + line)


def _wrapped(text: str, indent: int) -> Iterator[str]:
    """Break between words only, and not within a command at the end: they are there to be copied."""
    before, colon, command = text.partition(f": {_COMMAND}")
    if colon:
        text = f"{before}: " + (_COMMAND + command).replace(" ", _NO_BREAK)
    for line in textwrap.wrap(
        text,
        max(_MIN_TEXT_WIDTH, text_width() - indent),
        break_long_words=False,
        break_on_hyphens=False,
    ):
        yield line.replace(_NO_BREAK, " ")
