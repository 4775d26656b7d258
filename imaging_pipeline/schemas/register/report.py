"""The report of a registration, as rows of plain names that remain when what they name is deleted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from imaging_pipeline.ingest.folder_changes import FolderChanges
from imaging_pipeline.ingest.verdicts import FileReport, FileVerdict, OutputReport
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.schemas.register.decision import Decision
from imaging_pipeline.schemas.register.purge import Purged

REFUSED = "refused"

# Columns of reasons take 1024 characters; the remark on what was cut off needs some of them.
_LONGEST = 980


@dataclass(frozen=True)
class Report:
    """What registering did.

    Attributes
    ----------
    row
        The row of ``MakeDatasetSessions``.
    parts
        Name of a part table → its rows.
    has_effects
        Whether anything was done apart from the report, so that there may be new jobs.
    """

    row: Row
    parts: dict[str, list[Row]]
    has_effects: bool = True

    @property
    def purged(self) -> list[Purged]:
        """What was deleted, by table."""
        columns = ("purged_table", "num_rows_purged", "purge_reason")
        return [Purged(*(row[name] for name in columns)) for row in self.parts["Purge"]]


def make_report(decision: Decision, purged: Sequence[Purged], reset: Mapping[str, int]) -> Report:
    """Return the report of what was decided, of the purged rows, and of the jobs that are tried again."""
    files, changes = decision.files, decision.changes
    verdicts = [file.verdict for file in files]
    num_known = sum(each.verdict == "known" for each in changes.sessions)
    findings = [
        *(f"{each.kind}: {each.message}" for each in changes.findings),
        *decision.hardware.findings,
        *decision.findings,
    ]
    return Report(
        row={
            "num_sessions_new": len(changes.sessions) - num_known,
            "num_sessions_known": num_known,
            "num_files_used": verdicts.count(FileVerdict.USED),
            "num_files_ignored": verdicts.count(FileVerdict.IGNORED),
            "num_files_unknown": verdicts.count(FileVerdict.UNKNOWN),
        },
        parts={
            "Session": _sessions(changes),
            "Dataset": _datasets(changes),
            "File": [_file(number, file) for number, file in enumerate(files)],
            "Output": [_output(number, output) for number, output in enumerate(decision.plan.outputs)],
            "Purge": [
                {
                    "purged_table": each.table,
                    "num_rows_purged": each.num_rows,
                    "purge_reason": _shortened(each.reason),
                }
                for each in purged
            ],
            "Finding": [
                {"finding_number": number, "finding": _shortened(finding)}
                for number, finding in enumerate(findings)
            ],
            "JobReset": [{"reset_table": table, "num_jobs_reset": rows} for table, rows in reset.items()],
        },
        has_effects=bool(reset) or not changes.is_empty,
    )


def _sessions(changes: FolderChanges) -> list[Row]:
    """Return the rows of sessions, without refused ones that have the name of one that is registered."""
    reported = [(each.session, each.metasession_name, str(each.verdict)) for each in changes.sessions]
    names = {session.session_name for session, _, _ in reported}
    refused = [each for each in changes.refused if each.session.session_name not in names]
    reported += [(each.session, each.metasession_name, REFUSED) for each in refused]
    return [
        {
            "reported_session": session.session_name,
            "reported_metasession": metasession_name,
            "reported_timeseries": session.timeseries_name,
            "reported_start": session.start,
            "session_verdict": verdict,
        }
        for session, metasession_name, verdict in reported
    ]


def _datasets(changes: FolderChanges) -> list[Row]:
    return [
        {
            "reported_dataset": each.dataset.dataset_name,
            "reported_bundle": each.dataset.bundle,
            "reported_datasettype": each.dataset.datasettype,
            "dataset_verdict": str(each.verdict),
            "dataset_reason": _shortened(each.reason),
        }
        for each in changes.datasets
    ]


def _file(number: int, file: FileReport) -> Row:
    reason = file.reason if file.datasettype is None else f"{file.datasettype}: {file.reason}"
    return {
        "reported_file": number,
        "reported_path": file.path,
        "file_verdict": str(file.verdict),
        "file_reason": _shortened(reason),
    }


def _output(number: int, output: OutputReport) -> Row:
    return {
        "output_number": number,
        "output_path": output.path,
        "output_datasettype": output.datasettype,
        "output_verdict": str(output.verdict),
        "output_reason": _shortened(output.reason),
        "output_metasession": output.metasession_name or "",
        "output_ops_name": output.ops_name or "",
    }


def _shortened(text: str) -> str:
    """Return a text that fits into its column; it says how much was cut off."""
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} … ({len(text) - _LONGEST} characters more)"
