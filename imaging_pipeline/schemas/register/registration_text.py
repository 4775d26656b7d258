"""Lines of plain text about what a report says, of what was done as of what would be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from imaging_pipeline.ingest.folder_changes import SessionVerdict
from imaging_pipeline.schemas.register.decision import Decision
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.register.report import Report
from imaging_pipeline.schemas.table_names import schema_of, shown
from imaging_pipeline.wording import counted


def outcome(decision: Decision, report: Report) -> str:
    """Tell in one line what a request came to, for who watches the worker."""
    verdicts = Counter(row["session_verdict"] for row in report.parts["Session"])
    kept = (f"{counted(verdicts[each], 'session')} {each}" for each in SessionVerdict if verdicts[each])
    refused = ", ".join(f"{each.session.timeseries_name} ({each.kind})" for each in decision.changes.refused)
    purged = sum(row["num_rows_purged"] for row in report.parts["Purge"])
    unknown = report.row["num_files_unknown"]
    counts = (
        *kept,
        f"refused: {refused}" if refused else "",
        f"{counted(purged, 'row')} deleted" if purged else "",
        f"{counted(unknown, 'file')} unknown" if unknown else "",
    )
    return f"{decision.plan.request.folder}: {'; '.join(filter(None, counts))}"


def told(start: datetime, timeseries_name: str) -> str:
    """Tell which session is meant."""
    return f"{start.isoformat(' ', 'seconds')}  {timeseries_name}"


def session(verdict: str, start: datetime, timeseries_name: str) -> str:
    """Tell of a session that a request met."""
    return f"{verdict:<8} {told(start, timeseries_name)}"


def in_order(bundle: str, datasettype: str) -> tuple[str, str]:
    """Return what datasets are ordered by: those of a session stand together."""
    return bundle, datasettype


def ignored(files: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Tell why files are left out, of several together by how many they are.

    Parameters
    ----------
    files
        Path and reason of each.
    """
    by_reason: dict[str, list[str]] = {}
    for path, reason in files:
        by_reason.setdefault(reason, []).append(path)
    for reason, paths in by_reason.items():
        yield f"  ignored  {paths[0] if len(paths) == 1 else counted(len(paths), 'file')}: {reason}"


def deleted(purged: Iterable[Purged], owners: Mapping[str, str | None]) -> Iterator[str]:
    """Tell the rows that go, by reason.

    Parameters
    ----------
    purged
        What is told.
    owners
        Owner of each schema that is not the pipeline's; None where that is not known.
    """
    by_reason: dict[str, list[str]] = {}
    for each in sorted(purged, key=lambda each: shown(each.table)):
        owner = owners.get(schema_of(each.table)) or "an owner who is not known here"
        whose = f", of {owner}" if schema_of(each.table) in owners else ""
        by_reason.setdefault(each.reason, []).append(f"  {each.num_rows:>8} {shown(each.table)}{whose}")
    for reason, lines in by_reason.items():
        yield f"Deleted, because {reason} (rows of tables)"
        yield from lines


def tried_again(report: Report) -> Iterator[str]:
    """Tell the failed and ignored jobs that may run again."""
    for row in sorted(report.parts["JobReset"], key=lambda row: shown(row["reset_table"])):
        number = counted(row["num_jobs_reset"], "failed or ignored job")
        yield f"Tried again: {number} of {shown(row['reset_table'])}"


def findings(report: Report) -> Iterator[str]:
    """Tell what a person should know."""
    rows = report.parts["Finding"]
    if rows:
        yield "To know"
    yield from (f"  {row['finding']}" for row in rows)
