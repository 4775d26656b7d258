"""Commands that a person is told to type, with what is known of the session."""

from __future__ import annotations

from imaging_pipeline.explaining.facts import Facts
from imaging_pipeline.explaining.job import Job


def add(facts: Facts) -> str:
    """Give the command that registers the folder again as it was."""
    username = facts.requests[0].username if facts.requests else "NAME"
    label = "--combined" if facts.combined else "--split"
    return (
        f"imaging-pipeline add {_path(facts)} --user {username} --animal {facts.animal_name}"
        f" --type {_quoted(facts.experiment_type)} {label}"
    )


def report(facts: Facts) -> str:
    """Give the command that tells what requests for the folder did."""
    return f"imaging-pipeline report {_path(facts)}"


def retry(job: Job, facts: Facts) -> str:
    """Give the command that has a job tried again."""
    found_by = [f"{name}={value}" for name, value in job.key.items()]
    if facts.session is not None and "metasession_name" in job.key:
        found_by = ["--session", facts.session.session_name]
    return " ".join(["imaging-pipeline jobs retry --table", job.short_table, *found_by])


def _path(facts: Facts) -> str:
    return _quoted(facts.requests[0].path if facts.requests else facts.folder)


def _quoted(text: str) -> str:
    """Quote for a command line of Windows and of a Unix shell alike."""
    return f'"{text}"'
