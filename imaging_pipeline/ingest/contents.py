"""What the plan needs of files' contents, read only where a file is new or has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import Move, PathError, PipelineError, StillCopyingError, TruncatedError
from imaging_pipeline.experiments.recognised import Examined
from imaging_pipeline.ingest.fingerprint import fingerprint
from imaging_pipeline.ingest.listing import Listing
from imaging_pipeline.ingest.planned import Content, KnownFiles, Request

Examine = Callable[[Path], Examined]

# Bytes of one file come in a stream, even where a slow line needs hours for the folder: a file that had
# none for so long gets no more.
PATIENCE_S = 3600.0

# Times of files are the server's, now is this machine's. A time further ahead comes of a wrong clock.
CLOCKS_DIFFER_S = 900.0

_LOOKED_AT_AGAIN = "nothing; the folder is looked at again."


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
        self._examined: dict[str, Examined] = {}

    def check_settled(self, paths: Sequence[str]) -> None:
        """Raise StillCopyingError if a new or changed file was written a moment ago."""
        fresh = [
            self.entries[path]
            for path in paths
            if self.is_new(path) and self._is_within(self._settle, [self.entries[path].modified])
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

    def is_new(self, path: str) -> bool:
        """Say whether a file is here that the database does not hold as it is."""
        return path in self.entries and self._unchanged(path) is None

    def examine(self, path: str, examine: Examine) -> Examined:
        """Look into a file that is here, once.

        Parameters
        ----------
        path
            Path below the folder.
        examine
            Called with the file's path; checks it, and says what is in it.

        Raises
        ------
        StillCopyingError
            The file cannot be read now, or is not all there and may still grow.
        PathError
            The file may not be read.
        FormatError
            As ``examine`` finds.
        """
        if path not in self._examined:
            with self._reading(path):
                self._examined[path] = examine(self.folder / path)
        return self._examined[path]

    def read(self, path: str, examine: Examine | None = None) -> Content:
        """Give a file's content; what the database holds where the file has not changed, or is gone.

        Parameters
        ----------
        path
            Path below the folder.
        examine
            As for `examine`.

        Raises
        ------
        StillCopyingError, PathError, FormatError
            As for `examine`.
        """
        known = self._unchanged(path) if path in self.entries else self.known[path]
        if known is not None:
            return known
        if examine is not None:
            self.examine(path, examine)
        if path not in self._fingerprints:
            progress.report("reading fingerprints", len(self._fingerprints))
            with self._reading(path):
                self._fingerprints[path] = fingerprint(self.folder / path)
        entry = self.entries[path]
        start = self._examined[path].start if path in self._examined else None
        return Content(entry.size_bytes, entry.modified, self._fingerprints[path], start)

    @contextmanager
    def _reading(self, path: str) -> Iterator[None]:
        """Let the request wait where a file cannot be read, or is not all there, and that may pass."""
        place = self.folder / path
        try:
            yield
        except TruncatedError as error:
            if not self._may_change(path):
                raise
            raise StillCopyingError(
                "A file is still being copied, or was never copied whole",
                path=place,
                found=error.found,
                allowed=error.allowed,
                remedy="nothing while it is being copied; else copy it again. It becomes an error"
                f" when it has not changed for {PATIENCE_S / 60:g} min.",
            ) from error
        except FileNotFoundError as error:
            raise StillCopyingError(
                "A file went away while the folder was read", path=place, remedy=_LOOKED_AT_AGAIN
            ) from error
        except PipelineError:
            raise
        except OSError as error:
            told = error.strerror or error
            if isinstance(error, PermissionError) and not self._may_change(path):
                raise PathError(
                    "The file may not be read",
                    path=place,
                    found=told,
                    remedy="give the account of the worker the right to read it.",
                    move=Move.ADMINISTRATOR,
                ) from error
            raise StillCopyingError(
                "A file cannot be read now", path=place, found=told, remedy=_LOOKED_AT_AGAIN
            ) from error

    def _may_change(self, path: str) -> bool:
        entry = self.entries[path]
        return self._is_within(timedelta(seconds=PATIENCE_S), [entry.modified, entry.arrived])

    def _is_within(self, span: timedelta, moments: Iterable[datetime]) -> bool:
        """Say whether one of some moments is no longer ago; the clocks may differ, but not by any time."""
        clocks_differ = timedelta(seconds=CLOCKS_DIFFER_S)
        return any(-clocks_differ < self._now - moment < span for moment in moments)

    def _unchanged(self, path: str) -> Content | None:
        entry, known = self.entries[path], self.known.get(path)
        if known is None or (known.size_bytes, known.modified) != (entry.size_bytes, entry.modified):
            return None
        return known


def _identity(path: str, content: Content) -> tuple[str, int, str]:
    return path.rpartition("/")[0], content.size_bytes, content.fingerprint
