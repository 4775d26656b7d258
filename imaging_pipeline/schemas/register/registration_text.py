"""A registration as lines of plain text, for previews, reports and commands."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from operator import itemgetter

from imaging_pipeline.ingest.folder_changes import SessionVerdict
from imaging_pipeline.schemas.register.decision import Decision
from imaging_pipeline.schemas.register.purge import Purged
from imaging_pipeline.schemas.register.report import Report
from imaging_pipeline.schemas.table_names import readable_name, schema_of
from imaging_pipeline.wording import counted


def outcome(decision: Decision, report: Report) -> str:
    """Return the outcome of a request in one line, for the output of a worker."""
    verdicts = Counter(row["session_verdict"] for row in report.parts["Session"])
    accepted = (f"{counted(verdicts[each], 'session')} {each}" for each in SessionVerdict if verdicts[each])
    refused = ", ".join(f"{each.session.timeseries_name} ({each.kind})" for each in decision.changes.refused)
    purged = sum(row["num_rows_purged"] for row in report.parts["Purge"])
    unknown = report.row["num_files_unknown"]
    counts = (
        *accepted,
        f"refused: {refused}" if refused else "",
        f"{counted(purged, 'row')} deleted" if purged else "",
        f"{counted(unknown, 'file')} unknown" if unknown else "",
    )
    return f"{decision.plan.request.folder}: {'; '.join(filter(None, counts))}"


def session_start(start: datetime, timeseries_name: str) -> str:
    """Return start and name of a session."""
    return f"{start.isoformat(' ', 'seconds')}  {timeseries_name}"


def session(verdict: str, start: datetime, timeseries_name: str) -> str:
    """Return what a session is to the database, with its start and name."""
    return f"{verdict:<8} {session_start(start, timeseries_name)}"


def dataset_order(bundle: str, datasettype: str) -> tuple[str, str]:
    """Return the key by which datasets are sorted, so that those of a session are together."""
    return bundle, datasettype


def ignored(files: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Yield why files are ignored; several with the same reason are counted.

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
    """Yield the rows that are deleted, by reason.

    Parameters
    ----------
    purged
        The deleted rows, by table.
    owners
        Schema → owner, for each that is not the pipeline's; None where that is not known.
    """
    by_reason: dict[str, list[str]] = {}
    for each in sorted(purged, key=lambda each: readable_name(each.table)):
        owner = owners.get(schema_of(each.table)) or "an owner who is not known here"
        whose = f", of {owner}" if schema_of(each.table) in owners else ""
        by_reason.setdefault(each.reason, []).append(
            f"  {each.num_rows:>8} {readable_name(each.table)}{whose}"
        )
    for reason, lines in by_reason.items():
        yield f"Deleted, because {reason} (rows of tables)"
        yield from lines


def tried_again(report: Report) -> Iterator[str]:
    """Yield the failed and ignored jobs that may run again."""
    for row in sorted(report.parts["JobReset"], key=lambda row: readable_name(row["reset_table"])):
        number = counted(row["num_jobs_reset"], "failed or ignored job")
        yield f"Tried again: {number} of {readable_name(row['reset_table'])}"


def findings(report: Report) -> Iterator[str]:
    """Yield what a person should know."""
    rows = report.parts["Finding"]
    if rows:
        yield "To know"
    yield from (f"  {row['finding']}" for row in rows)


def report_lines(report: Report, owners: Mapping[str, str | None]) -> Iterator[str]:
    """Yield all that a report says; ``owners`` is as for `deleted`."""
    yield from _sessions(report)
    yield from _datasets(report)
    yield from _files(report)
    yield from deleted(report.purged, owners)
    yield from tried_again(report)
    yield from findings(report)


def _sessions(report: Report) -> Iterator[str]:
    for row in sorted(report.parts["Session"], key=itemgetter("reported_start", "reported_timeseries")):
        line = session(row["session_verdict"], row["reported_start"], row["reported_timeseries"])
        yield f"session {line} ({row['reported_session']})"


def _datasets(report: Report) -> Iterator[str]:
    changed = [row for row in report.parts["Dataset"] if row["dataset_verdict"] != "known"]
    for row in sorted(
        changed, key=lambda row: dataset_order(row["reported_bundle"], row["reported_datasettype"])
    ):
        reason = f": {row['dataset_reason']}" if row["dataset_reason"] else ""
        what = f"{row['reported_datasettype']} {row['reported_bundle']}"
        yield f"dataset {row['dataset_verdict']:<8} {what}{reason}"


def _files(report: Report) -> Iterator[str]:
    counts = (f"{report.row[f'num_files_{verdict}']} {verdict}" for verdict in ("used", "ignored", "unknown"))
    yield f"files: {', '.join(counts)}"
    files = report.parts["File"]
    yield from ignored(
        (row["reported_path"], row["file_reason"]) for row in files if row["file_verdict"] == "ignored"
    )
    for row in files:
        if row["file_verdict"] == "unknown":
            yield f"  unknown  {row['reported_path']}: {row['file_reason']}"
