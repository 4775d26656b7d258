"""``imaging-pipeline config``."""

from __future__ import annotations

import logging
import textwrap
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from imaging_pipeline import progress
from imaging_pipeline.checks.colony import check_colony
from imaging_pipeline.checks.database import check_database
from imaging_pipeline.checks.finding import Finding, Severity, from_error
from imaging_pipeline.checks.repositories import check_repositories, roots_in_database
from imaging_pipeline.checks.scratch import check_scratch
from imaging_pipeline.checks.stores import check_stores
from imaging_pipeline.checks.suite2p import check_suite2p
from imaging_pipeline.checks.values import Value, check_origin, values_in_force
from imaging_pipeline.cli.connection import configured
from imaging_pipeline.cli.printing import text_width
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import ConfigError

# Characters that a text has behind its columns, even where the terminal is narrower.
_MIN_TEXT_WIDTH = 30
_COMMAND = "imaging-pipeline "
# Where a space must not end a line: `textwrap` breaks at spaces of ASCII only.
_NO_BREAK = "\u00a0"
_SEVERITIES = {
    Severity.OK: ("ok", "green"),
    Severity.NOTICE: ("notice", "yellow"),
    Severity.FAILED: ("FAILED", "red"),
}
_STATE_WIDTH = 8
_SUBJECT_WIDTH = 13


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command()
def check() -> None:
    """Print the values in force and where they come from, and test all that this machine needs.

    Nothing is made, and what is written to try a disk is removed again. Ends with 1 if something failed,
    and says what to do about it.
    """
    printer = _FindingPrinter()
    with _quiet(), progress.listening(_print_step):
        try:
            in_force = configured()
        except ConfigError as error:
            # Told as a finding, so that the command ends as for any other failure.
            printer.print([from_error("values", error)], "Configuration")
            click.echo("\nThe rest was not tested, since it is not known what is meant.")
        else:
            _check(in_force, printer)
    click.echo(f"\n{printer.summary()}")
    click.get_current_context().exit(1 if printer.has_failed else 0)


def _check(in_force: Config, printer: _FindingPrinter) -> None:
    printer.print([check_origin(in_force)], "Configuration")
    _print_values(values_in_force(in_force))
    # The title comes first where a check takes its time.
    _print_heading("Database")
    database = check_database(in_force)
    printer.print(database.findings)
    printer.print(check_stores(in_force), "Stores")
    roots = None if database.tables is None else roots_in_database(database.tables)
    printer.print(check_repositories(in_force, roots), "Repositories")
    _print_heading("Animals")
    printer.print(check_colony(in_force, database.tables))
    _print_heading("Scratch")
    printer.print(check_scratch(in_force))
    _print_heading("Suite2p")
    printer.print(check_suite2p())


def _print_step(report: progress.Progress) -> None:
    """Print what takes its time, apart from the findings."""
    click.echo(f"({report.step} ...)", err=True)


class _FindingPrinter:
    """Prints findings, and counts them by their state."""

    def __init__(self) -> None:
        self._counts = Counter[Severity]()

    @property
    def has_failed(self) -> bool:
        return self._counts[Severity.FAILED] > 0

    def print(self, findings: Sequence[Finding], title: str = "") -> None:
        if title:
            _print_heading(title)
        for finding in findings:
            _print_finding(finding)
        self._counts.update(finding.severity for finding in findings)

    def summary(self) -> str:
        failed, noticed = self._counts[Severity.FAILED], self._counts[Severity.NOTICE]
        notices = f"{noticed} notice{'' if noticed == 1 else 's'}"
        if failed:
            return f"{failed} failed, {notices}."
        return f"Nothing stands in the way; {notices}." if noticed else "All is in order."


def _print_heading(title: str) -> None:
    click.echo("\n" + click.style(title, bold=True))


def _print_finding(finding: Finding) -> None:
    """Print a finding, with what to do below it."""
    indent = 2 + _STATE_WIDTH + _SUBJECT_WIDTH
    word, colour = _SEVERITIES[finding.severity]
    lines = [line for fact in finding.found.splitlines() for line in _wrapped(fact, indent)]
    if finding.remedy:
        lines += _wrapped(f"What to do ({finding.responsible}): {finding.remedy}", indent)
    subject = f"{finding.subject:<{_SUBJECT_WIDTH}}"
    if not subject.endswith(" "):
        # A long subject has a line of its own.
        subject, lines = finding.subject, ["", *lines]
    click.echo(f"  {click.style(f'{word:<{_STATE_WIDTH}}', fg=colour)}{subject}{lines[0]}".rstrip())
    for line in lines[1:]:
        click.echo(" " * indent + line)


def _print_values(values: Sequence[Value]) -> None:
    """Print a line for each value: its key, where it comes from, and the value."""
    key_width = max(len(value.key) for value in values) + 2
    source_width = max(len(value.source) for value in values) + 2
    indent = 2 + key_width + source_width
    for value in values:
        lines = [line for entry in value.text.splitlines() for line in _wrapped(entry, indent)]
        click.echo(f"  {value.key:<{key_width}}{value.source:<{source_width}}{lines[0]}")
        for line in lines[1:]:
            click.echo(" " * indent + line)


def _wrapped(text: str, indent: int) -> Iterator[str]:
    """Break a text between words only, and not within a command at its end, which is there to be copied."""
    before, colon, command = text.partition(f": {_COMMAND}")
    if colon:
        text = f"{before}: " + (_COMMAND + command).replace(" ", _NO_BREAK)
    width = max(_MIN_TEXT_WIDTH, text_width() - indent)
    for line in textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False):
        yield line.replace(_NO_BREAK, " ")


@contextmanager
def _quiet() -> Iterator[None]:
    """Suppress log messages and warnings of the enclosed code: the findings say the same."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
