"""The contents of a folder's files, read only where a file is new or has changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

from imaging_pipeline import progress
from imaging_pipeline.errors import DamagedError, FormatError, TruncatedError
from imaging_pipeline.experiments.ignored import ignoring_rule
from imaging_pipeline.experiments.recognised import UNREADABLE, Examined, ExperimentType, Part
from imaging_pipeline.ingest.copying import Copying
from imaging_pipeline.ingest.damaged_tifs import Examine, examine_damaged
from imaging_pipeline.ingest.fingerprint import content_hash, expect, fingerprint
from imaging_pipeline.ingest.listing import Listing
from imaging_pipeline.ingest.records import (
    FileRecord,
    Request,
    StoredFiles,
    address_of,
    stored_below_folder,
)


class FolderContents:
    """The files of one folder, compared with what the database stores of them.

    A file that holds several recordings is opened by `open_containers`, and is then replaced by its parts,
    each with a path below that of the file.

    Parameters
    ----------
    request
        The request for the folder.
    listing
        What the folder holds now.
    stored
        What the database stores of it.
    experiment
        Says which files hold several recordings, and reads what they hold.
    zone, settle_s, now
        The same as in `make_plan`.

    Attributes
    ----------
    zone
        The time zone of the lab.
    ignored, left_out
        Files that a rule leaves out, and files and parts that are no recording: path → reason.
    """

    def __init__(
        self,
        request: Request,
        listing: Listing,
        stored: StoredFiles,
        experiment: ExperimentType,
        zone: tzinfo,
        settle_s: float,
        now: datetime | None = None,
    ) -> None:
        self.folder = listing.folder
        self.entries = {entry.path: entry for entry in listing.files}
        self._listed = dict(self.entries)
        self.stored = stored_below_folder(request, stored)
        self.ignored = {path: rule for path in self.entries if (rule := ignoring_rule(path)) is not None}
        self.left_out: dict[str, str] = {}
        self._request = request
        self._experiment = experiment
        self.zone = zone
        self._containers: dict[str, str] = {}
        self._opened: dict[str, Mapping[str, Part]] = {}
        self._copying = Copying(
            listing.folder,
            timedelta(seconds=settle_s),
            now or datetime.now(UTC).replace(tzinfo=None),
            request.damaged_tifs,
        )
        self._fingerprints: dict[str, str] = {}
        self._content_hashes: dict[str, str] = {}
        self._examined: dict[str, Examined] = {}
        self._swapped: set[str] = set()

    def open_containers(self) -> None:
        """Replace each file that holds several recordings by its parts.

        Only files that are new or have changed are opened. Files in subfolders are recordings of their
        own and stay closed, and so do files that a rule leaves out. Raises as `examine` does.
        """
        suffix = self._experiment.container
        paths = [
            path
            for path in self.entries
            if suffix and path.lower().endswith(suffix) and "/" not in path and path not in self.ignored
        ]
        stored_parts = {path: self._stored_parts(path) for path in paths}
        self.check_settled([path for path, parts in stored_parts.items() if not parts])
        for path, stored in stored_parts.items():
            parts = stored or {name: part.reason for name, part in self._open(path).items()}
            # A file without any part stays in the list, so that the report says that it holds nothing.
            entry = self.entries.pop(path) if parts else self.entries[path]
            for part, left_out in parts.items():
                address = address_of(path, part)
                self._containers[address] = path
                self.entries[address] = replace(entry, path=address)
                if left_out:
                    self.left_out[address] = left_out

    def check_settled(self, paths: Sequence[str]) -> None:
        """Raise StillCopyingError if a new or changed file was written a moment ago."""
        self._copying.check_settled([self.entries[path] for path in paths if self.is_new(path)])

    def gone(self) -> dict[str, FileRecord]:
        """Return stored files that are no longer there, but not those renamed within their folder."""
        missing = {path: file for path, file in self.stored.items() if path not in self.entries}
        # A part has the size of its whole file, which says nothing, so that parts are always candidates.
        sizes = {file.size_bytes for file in missing.values()}
        # Only a file of the same size can be a renamed one, so that no other is read for it.
        arrived = [
            path
            for path, entry in self.entries.items()
            if path not in self.stored
            and path not in self.left_out
            and (entry.size_bytes in sizes or path in self._containers)
        ]
        renamed = {_identity(self.read(path)) for path in arrived}
        return {path: file for path, file in missing.items() if _identity(file) not in renamed}

    def is_new(self, path: str) -> bool:
        """Return True if a file is here that is not stored as it is now."""
        return path in self.entries and self._unchanged(path) is None

    def compare_content(self, path: str) -> None:
        """Let a file count as new where its content is, although size and time are those of the stored one.

        Raises
        ------
        StillCopyingError, PathError
            The file cannot be read.
        """
        stored = self._unchanged(path)
        if stored is None or path in self._fingerprints:
            return
        with self._reading(path):
            self._fingerprints[path] = fingerprint(self.folder / path)
        if self._fingerprints[path] != stored.fingerprint:
            self._swapped.add(path)

    def expect(self, path: str) -> None:
        """Ask the system to fetch what will be read of a file that is here."""
        if path not in self._containers:
            expect(self.folder / path, self.entries[path].size_bytes)

    def examine(self, path: str, examine: Examine) -> Examined:
        """Return what is in a file that is here; it is read once.

        Parameters
        ----------
        path
            Path below the folder.
        examine
            Called with the file's path; checks the file and returns what is in it. Of a damaged tif that
            is not growing any more, the request says what is taken.

        Raises
        ------
        StillCopyingError
            The file cannot be read now, or is not all there and may still grow.
        PathError
            The file may not be read.
        FormatError
            Raised by ``examine``.
        """
        if path not in self._examined:
            if path in self._containers:
                examined = self._part(path).examined
            else:
                with self._reading(path):
                    examined = self._examine(path, examine)
            self._examined[path] = replace(examined, start=self._wall_time(examined.start))
        return self._examined[path]

    def read(self, path: str, examine: Examine | None = None) -> FileRecord:
        """Return the record of a file; the stored one where the file has not changed, or is gone.

        Parameters
        ----------
        path
            Path below the folder.
        examine
            Called with the file's path if the file is new or has changed, to check it as well.

        Raises
        ------
        StillCopyingError
            The file cannot be read now, or is not all there and may still grow.
        PathError
            The file may not be read.
        FormatError
            Raised by ``examine``.
        """
        stored = self._unchanged(path) if path in self.entries else self.stored[path]
        if stored is not None:
            return stored
        if examine is not None:
            self.examine(path, examine)
        if path in self._containers:
            return self._part_record(path)
        if path not in self._fingerprints:
            progress.report("reading fingerprints", len(self._fingerprints))
            with self._reading(path):
                self._fingerprints[path] = fingerprint(self.folder / path)
        found = self._examined.get(path, Examined())
        record = self._record(path, path, self._fingerprints[path])
        if self._needs_whole_content(path, record):
            record = replace(record, content_hash=self._content_hash(path))
        return replace(record, session_start=found.start, pages_taken=found.pages_taken)

    def _needs_whole_content(self, path: str, record: FileRecord) -> bool:
        """Return True if a file may be a stored one, of which all of the content is known."""
        # A file that lies elsewhere is a copy as long as the stored one is there.
        return any(
            stored.content_hash and stored.content == record.content
            for place, stored in self.stored.items()
            if place == path or place not in self.entries
        )

    def _content_hash(self, path: str) -> str:
        if path not in self._content_hashes:
            progress.report("comparing arrays", len(self._content_hashes))
            with self._reading(path):
                self._content_hashes[path] = content_hash(self.folder / path)
        return self._content_hashes[path]

    def _examine(self, path: str, examine: Examine) -> Examined:
        absolute = self.folder / path
        try:
            return examine(absolute)
        except DamagedError as error:
            if isinstance(error, TruncatedError) and self._may_change(path):
                raise
            return examine_damaged(absolute, examine, error, self._request.damaged_tifs)

    def _record(self, path: str, address: str, fingerprint: str) -> FileRecord:
        entry, location = self.entries[address], self._request.location_of(path)
        return FileRecord(*location, entry.size_bytes, entry.modified, fingerprint)

    def _stored_parts(self, path: str) -> Mapping[str, str]:
        """Return the stored parts of a file; nothing where it is to be opened.

        It is where it is new or has changed, and where a part could not be read.
        """
        entry = self.entries[path]
        for address, file in self.stored.items():
            is_part = file.part and address == address_of(path, file.part)
            if is_part and (file.size_bytes, file.modified) == (entry.size_bytes, entry.modified):
                is_readable = not any(reason.startswith(UNREADABLE) for reason in file.parts.values())
                return file.parts if is_readable else {}
        return {}

    def _open(self, path: str) -> Mapping[str, Part]:
        if path not in self._opened:
            progress.report("reading what files hold", len(self._opened))
            with self._reading(path):
                parts = self._experiment.parts(self.folder / path)
            self._require_parts(path, parts)
            self._opened[path] = parts
        return self._opened[path]

    @property
    def problems(self) -> list[FormatError]:
        """Why parts of files cannot be read, in the order of the files."""
        parts = [part for opened in self._opened.values() for part in opened.values()]
        return [part.problem for part in parts if part.problem is not None]

    def _require_parts(self, path: str, parts: Mapping[str, Part]) -> None:
        """Raise StillCopyingError where a part is not all there and may still come."""
        for part in parts.values():
            if isinstance(part.problem, TruncatedError) and self._may_change(path):
                with self._reading(path):
                    raise part.problem

    def _part(self, address: str) -> Part:
        path = self._containers[address]
        return self._open(path)[address.removeprefix(f"{path}/")]

    def _part_record(self, address: str) -> FileRecord:
        path, part = self._containers[address], self._part(address)
        return replace(
            self._record(path, address, part.fingerprint),
            part=address.removeprefix(f"{path}/"),
            parts={name: each.reason for name, each in self._open(path).items()},
            session_start=self._wall_time(part.examined.start),
        )

    def _wall_time(self, moment: datetime | None) -> datetime | None:
        """Return the lab's wall time of a moment with a zone, so that every client writes the same."""
        if moment is None or moment.tzinfo is None:
            return moment
        return moment.astimezone(self.zone).replace(tzinfo=None)

    def _reading(self, path: str) -> AbstractContextManager[None]:
        """Read a file in a block: the request waits where the file may become readable later."""
        return self._copying.reading(self._listed[path])

    def _may_change(self, path: str) -> bool:
        return self._copying.may_change(self._listed[path])

    def _unchanged(self, path: str) -> FileRecord | None:
        entry, stored = self.entries[path], self.stored.get(path)
        if stored is None or (stored.size_bytes, stored.modified) != (entry.size_bytes, entry.modified):
            return None
        return None if path in self._swapped else stored


def _identity(file: FileRecord) -> tuple[str, tuple[int, str]]:
    """Return folder and content, which remain when a file is renamed."""
    return file.path.rpartition("/")[0], file.content
