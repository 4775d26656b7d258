"""What the plan needs of files' contents, read only where a file is new or has changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import PipelineError, StillCopyingError
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.ingest.listing import Listing
from imaging_pipeline.ingest.planned import Content, KnownFiles, Request

Examine = Callable[[Path], datetime | None]


class FolderContents:
    """The files of one folder against what the database holds of them.

    Parameters
    ----------
    request
        Whose folder it is.
    listing
        What the folder holds now.
    known
        What the database holds of it.
    settle_s
        How long a file must have rested before it counts as copied.
    now
        The time to measure that from, UTC without a zone; the clock's where not given.
    """

    def __init__(
        self,
        request: Request,
        listing: Listing,
        known: KnownFiles,
        settle_s: float,
        now: datetime | None = None,
    ) -> None:
        self.folder = listing.folder
        self.entries = {entry.path: entry for entry in listing.files}
        prefix = request.place_of("")
        self.known = {
            place.removeprefix(prefix): content
            for place, content in known.items()
            if place.startswith(prefix)
        }
        self._settle = timedelta(seconds=settle_s)
        self._now = now or datetime.now(UTC).replace(tzinfo=None)
        self._fingerprints: dict[str, str] = {}
        self._starts: dict[str, datetime | None] = {}

    def check_settled(self, paths: Sequence[str]) -> None:
        """Raise StillCopyingError if a new or changed file was written a moment ago.

        A time further in the future than ``settle_s`` is a wrong clock and says nothing.
        """
        fresh = [
            self.entries[path]
            for path in paths
            if path in self.entries
            and self._unchanged(path) is None
            and abs(self._now - self.entries[path].modified) < self._settle
        ]
        if fresh:
            last = max(fresh, key=lambda entry: entry.modified)
            raise StillCopyingError(
                "Files are still being copied",
                path=self.folder / last.path,
                found=f"{len(fresh)} written in the last {self._settle.total_seconds():g} s",
                remedy="nothing; the request waits until the files have rested.",
            )

    def gone(self) -> dict[str, Content]:
        """Give what is known and no longer there, unless it was only renamed within its folder."""
        away = {path: content for path, content in self.known.items() if path not in self.entries}
        sizes = {content.size_bytes for content in away.values()}
        arrived = [
            path
            for path, entry in self.entries.items()
            if path not in self.known and entry.size_bytes in sizes
        ]
        renamed = {_identity(path, self.read(path)) for path in arrived}
        return {path: content for path, content in away.items() if _identity(path, content) not in renamed}

    def read(self, path: str, examine: Examine | None = None) -> Content:
        """Give a file's content; what the database holds where the file has not changed, or is gone.

        Parameters
        ----------
        path
            Path below the folder.
        examine
            Called with the file's path; checks it, and gives the start of its session or None.

        Raises
        ------
        StillCopyingError
            The file cannot be read now, or is not all there.
        FormatError
            As ``examine`` finds.
        """
        known = self._unchanged(path) if path in self.entries else self.known[path]
        if known is not None:
            return known
        try:
            if examine is not None:
                self._starts[path] = examine(self.folder / path)
            if path not in self._fingerprints:
                progress.report("reading fingerprints", len(self._fingerprints))
                self._fingerprints[path] = fingerprint(self.folder / path)
        except PipelineError:
            raise
        except OSError as error:
            raise StillCopyingError(
                "A file cannot be read now", path=self.folder / path, found=error.strerror or error
            ) from error
        entry = self.entries[path]
        return Content(entry.size_bytes, entry.modified, self._fingerprints[path], self._starts.get(path))

    def _unchanged(self, path: str) -> Content | None:
        entry, known = self.entries[path], self.known.get(path)
        if known is None or (known.size_bytes, known.modified) != (entry.size_bytes, entry.modified):
            return None
        return known


def _identity(path: str, content: Content) -> tuple[str, int, str]:
    return path.rpartition("/")[0], content.size_bytes, content.fingerprint
