"""Commands that a person is advised to type, filled in with what is known of the session.

This layer cannot import the commands: `tests.unit.test_named_commands` parses each as the command line does.
"""

from __future__ import annotations

import re

from imaging_pipeline.explaining.facts import Facts
from imaging_pipeline.explaining.job import Job


def add(facts: Facts, *, ops_name: str | None = None) -> str:
    """Return the command that registers the folder again as it was, or with another option set."""
    newest = facts.requests[0] if facts.requests else None
    options: dict[str, str | None] = {"--options": ops_name}
    if newest is not None:
        options = {
            "--setup": newest.setup,
            "--scope": newest.scope_name,
            "--options": ops_name or newest.ops_name,
            "--session-type": newest.sessiontype,
            "--damaged-tifs": None if newest.damaged_tifs == "refuse" else newest.damaged_tifs,
        }
    words = [
        f"imaging-pipeline add {_path(facts)} --user {newest.username if newest else 'NAME'}",
        f"--animal {_word(facts.animal_name)} --type {_quoted(facts.experiment_type)}",
        "--combined" if facts.combined else "--split",
        *(f"{option} {_word(value)}" for option, value in options.items() if value),
        *(["--register-uncurated"] if newest and newest.register_uncurated else []),
    ]
    return " ".join(words)


def report(facts: Facts) -> str:
    """Return the command that shows what requests for the folder did."""
    return f"imaging-pipeline report {_path(facts)}"


def retry(job: Job, facts: Facts) -> str:
    """Return the command that has a job tried again."""
    selection = [f"{name}={value}" for name, value in job.key.items()]
    if facts.session is not None and "metasession_name" in job.key:
        selection = ["--session", facts.session.session_name]
    return " ".join(["imaging-pipeline jobs retry --table", job.short_table, *selection])


def start_worker(lane: str) -> str:
    """Return the command that starts a worker of a lane."""
    return f"python -m batch_populate {lane} --loop"


def _path(facts: Facts) -> str:
    return _quoted(facts.requests[0].path if facts.requests else facts.folder)


def _quoted(text: str) -> str:
    """Quote for a command line of Windows and of a Unix shell alike."""
    return f'"{text}"'


def _word(text: str) -> str:
    """Quote what would be more than one word."""
    return text if re.fullmatch(r"[\w.-]+", text) else _quoted(text)
