"""What becomes of every file of a folder, once the plan was compared with the database."""

from __future__ import annotations

from dataclasses import replace

from imaging_pipeline.ingest.folder_changes import FolderChanges
from imaging_pipeline.ingest.records import Plan
from imaging_pipeline.ingest.verdicts import FileReport, FileVerdict


def file_accounting(plan: Plan, changes: FolderChanges) -> tuple[FileReport, ...]:
    """Return every file of a folder with what becomes of it; files of refused sessions are not used.

    Parameters
    ----------
    plan
        What the folder means.
    changes
        What registering it changes.
    """
    used = {file.address for change in changes.datasets for file in change.dataset.files}
    refused = _refused(plan, changes)

    def final(file: FileReport) -> FileReport:
        if file.verdict is not FileVerdict.USED or file.path in used:
            return file
        reason = refused.get(file.path, "of an output that is out of date")
        return replace(file, verdict=FileVerdict.IGNORED, datasettype=None, reason=reason)

    return tuple(final(file) for file in plan.files)


def _refused(plan: Plan, changes: FolderChanges) -> dict[str, str]:
    """Return why files of refused sessions and of their outputs are not used: address → reason."""
    kinds = {each.session.session_name: each.kind for each in changes.refused}
    reasons: dict[str, str] = {}
    for metasession in plan.metasessions:
        for session in metasession.sessions:
            if session.session_name in kinds:
                kind = kinds[session.session_name]
                reason = f"of '{session.timeseries_name}', which is not registered: {kind}"
                reasons |= {file.address: reason for each in session.datasets for file in each.files}
        # Output is registered only with all of its sessions.
        if any(session.session_name in kinds for session in metasession.sessions):
            reason = "of an output whose sessions are not all registered"
            reasons |= {file.address: reason for each in metasession.datasets for file in each.files}
    return reasons
