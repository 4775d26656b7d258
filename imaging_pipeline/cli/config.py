"""``imaging-pipeline config``."""

from __future__ import annotations

import logging
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
from imaging_pipeline.checks.values import check_origin, values_in_force
from imaging_pipeline.cli.connection import configured
from imaging_pipeline.cli.findings import print_findings, print_heading, print_values
from imaging_pipeline.config.config import Config
from imaging_pipeline.errors import ConfigError


@click.group()
def config() -> None:
    """Look at the configuration."""


@config.command()
def check() -> None:
    """Return what is in force and from where, and test all that the pipeline needs on this machine.

    Nothing is made, and what is written to try a disk is removed again. Ends with 1 when something
    stands in the way, with what to do about it.
    """
    told = _Told()
    with _quiet(), progress.listening(_say_step):
        try:
            found = configured()
        except ConfigError as error:
            told.say([from_error("values", error)], "Configuration")
            click.echo("\nThe rest was not tested, since it is not known what is meant.")
        else:
            _check(found, told)
    click.echo(f"\n{told.summary()}")
    click.get_current_context().exit(1 if told.has_failed else 0)


def _check(found: Config, told: _Told) -> None:
    told.say([check_origin(found)], "Configuration")
    print_values(values_in_force(found))
    print_heading("Database")
    database = check_database(found)
    told.say(database.findings)
    told.say(check_stores(found), "Stores")
    roots = None if database.tables is None else roots_in_database(database.tables)
    told.say(check_repositories(found, roots), "Repositories")
    print_heading("Animals")
    told.say(check_colony(found, database.tables))
    print_heading("Scratch")
    told.say(check_scratch(found))
    print_heading("Suite2p")
    told.say(check_suite2p())


def _say_step(reported: progress.Progress) -> None:
    """Return what takes its time, apart from the findings."""
    click.echo(f"({reported.step} ...)", err=True)


class _Told:
    """The findings that were printed so far, counted by their state."""

    def __init__(self) -> None:
        self._counts = Counter[Severity]()

    @property
    def has_failed(self) -> bool:
        return self._counts[Severity.FAILED] > 0

    def say(self, findings: Sequence[Finding], title: str = "") -> None:
        if title:
            print_heading(title)
        print_findings(findings)
        self._counts.update(finding.severity for finding in findings)

    def summary(self) -> str:
        failed, noticed = self._counts[Severity.FAILED], self._counts[Severity.NOTICE]
        notices = f"{noticed} notice{'' if noticed == 1 else 's'}"
        if failed:
            return f"{failed} failed, {notices}."
        return f"Nothing stands in the way; {notices}." if noticed else "All is in order."


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep back what is logged and warned of meanwhile: the findings say it."""
    disabled = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
