"""What the plan needs of files' contents, read only where a file is new or has changed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

from imaging_pipeline import progress
from imaging_pipeline.errors import PathError, PipelineError, Responsible, StillCopyingError, TruncatedError
from imaging_pipeline.experiments.ignored import ignoring_rule
from imaging_pipeline.experiments.recognised import Examined, ExperimentType, Part
from imaging_pipeline.ingest.fingerprint import expect, fingerprint
from imaging_pipeline.ingest.listing import Listing
from imaging_pipeline.ingest.records import Content, KnownFiles, Request, address_of, content_of

Examine = Callable[[Path], Examined]

# Bytes of one file come in a stream, even where a slow line needs hours for the folder: a file that had
# none for so long gets no more.
PATIENCE_S = 3600.0

# Times of files are the server's, now is this machine's. A time further ahead comes of a wrong clock.
CLOCKS_DIFFER_S = 900.0

_LOOKED_AT_AGAIN = "nothing; the folder is looked at again."


class FolderContents:
    """The files of one folder against what the database holds of them.

    A file that holds several recordings is opened by `open_containers`; from then on its parts stand in
    its place, each by a path below that of the file.

    Parameters
    ----------
    request
        Whose folder it is.
    listing
        What the folder holds now.
    known
        What the database holds of it.
    experiment
        Knows which files hold several recordings, and what they hold.
    zone
        The lab's, for files that tell their times with a zone.
    settle_s
        How long a file must have rested before it counts as copied.
    now
        The time to measure that from, UTC without a zone; the clock's where not given.

    Attributes
    ----------
    ignored, left_out
        Files that a rule leaves out, and files and parts that are no recording; by path, and why.
    """

    def __init__(
        self,
        request: Request,
        listing: Listing,
        known: KnownFiles,
        experiment: ExperimentType,
        zone: tzinfo,
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
        self.ignored = {path: rule for path in self.entries if (rule := ignoring_rule(path)) is not None}
        self.left_out: dict[str, str] = {}
        self._experiment = experiment
        self._zone = zone
        self._containers: dict[str, str] = {}
        self._opened: dict[str, Mapping[str, Part]] = {}
        self._settle = timedelta(seconds=settle_s)
        self._now = now or datetime.now(UTC).replace(tzinfo=None)
        self._fingerprints: dict[str, str] = {}
        self._examined: dict[str, Examined] = {}

    def open_containers(self) -> None:
        """Put the parts of each file that holds several recordings in its place.

        Files are looked into that the database does not hold as they are. Those in subfolders, which
        are recordings of their own, and those that a rule leaves out stay closed.

        Raises
        ------
        StillCopyingError, PathError, FormatError
            As for `examine`.
        """
        suffix = self._experiment.container
        paths = [
            path
            for path in self.entries
            if suffix and path.lower().endswith(suffix) and "/" not in path and path not in self.ignored
        ]
        held = {path: self._known_parts(path) for path in paths}
        self.check_settled([path for path, parts in held.items() if not parts])
        for path, parts in held.items():
            found = parts or {name: part.left_out for name, part in self._look_into(path).items()}
            entry = self.entries.pop(path) if found else self.entries[path]
            for part, left_out in found.items():
                address = address_of(path, part)
                self._containers[address] = path
                self.entries[address] = replace(entry, path=address)
                if left_out:
                    self.left_out[address] = left_out

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
        """Return what is known and no longer there, unless it was only renamed within its folder."""
        away = {path: content for path, content in self.known.items() if path not in self.entries}
        sizes = {content.size_bytes for content in away.values()}
        arrived = [
            path
            for path, entry in self.entries.items()
            if path not in self.known
            and path not in self.left_out
            and (entry.size_bytes in sizes or path in self._containers)
        ]
        renamed = {_identity(path, self.read(path)) for path in arrived}
        return {path: content for path, content in away.items() if _identity(path, content) not in renamed}

    def is_new(self, path: str) -> bool:
        """Return True if a file is here that the database does not hold as it is."""
        return path in self.entries and self._unchanged(path) is None

    def expect(self, path: str) -> None:
        """Let the system fetch what will be read of a file that is here."""
        if path not in self._containers:
            expect(self.folder / path, self.entries[path].size_bytes)

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
            if path in self._containers:
                found = self._part(path).examined
            else:
                with self._reading(path):
                    found = examine(self.folder / path)
            self._examined[path] = replace(found, start=self._wall_time(found.start))
        return self._examined[path]

    def read(self, path: str, examine: Examine | None = None) -> Content:
        """Return a file's content; what the database holds where the file has not changed, or is gone.

        Parameters
        ----------
        path, examine
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
        if path in self._containers:
            return self._content_of_part(path)
        if path not in self._fingerprints:
            progress.report("reading fingerprints", len(self._fingerprints))
            with self._reading(path):
                self._fingerprints[path] = fingerprint(self.folder / path)
        entry, examined = self.entries[path], self._examined.get(path, Examined())
        return Content(entry.size_bytes, entry.modified, self._fingerprints[path], examined.start)

    def _known_parts(self, path: str) -> Mapping[str, str]:
        """Return everything in a file as the database knows it; nothing where the file is new or changed."""
        entry = self.entries[path]
        for address, content in self.known.items():
            is_part = content.part and address == address_of(path, content.part)
            if is_part and (content.size_bytes, content.modified) == (entry.size_bytes, entry.modified):
                return content.parts
        return {}

    def _look_into(self, path: str) -> Mapping[str, Part]:
        if path not in self._opened:
            progress.report("reading what files hold", len(self._opened))
            with self._reading(path):
                self._opened[path] = self._experiment.parts(self.folder / path)
        return self._opened[path]

    def _part(self, address: str) -> Part:
        path = self._containers[address]
        return self._look_into(path)[address.removeprefix(f"{path}/")]

    def _content_of_part(self, address: str) -> Content:
        entry, path, part = self.entries[address], self._containers[address], self._part(address)
        parts = {name: each.left_out for name, each in self._look_into(path).items()}
        name = address.removeprefix(f"{path}/")
        start = self._wall_time(part.examined.start)
        return Content(entry.size_bytes, entry.modified, part.fingerprint, start, name, parts)

    def _wall_time(self, moment: datetime | None) -> datetime | None:
        """Return the lab's wall time, which every client writes alike, of a moment with a zone."""
        if moment is None or moment.tzinfo is None:
            return moment
        return moment.astimezone(self._zone).replace(tzinfo=None)

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
                    responsible=Responsible.ADMINISTRATOR,
                ) from error
            raise StillCopyingError(
                "A file cannot be read now", path=place, found=told, remedy=_LOOKED_AT_AGAIN
            ) from error

    def _may_change(self, path: str) -> bool:
        entry = self.entries[path]
        return self._is_within(timedelta(seconds=PATIENCE_S), [entry.modified, entry.arrived])

    def _is_within(self, span: timedelta, moments: Iterable[datetime]) -> bool:
        """Return True if one of some moments is no longer ago; the clocks may differ, but not by any time."""
        clocks_differ = timedelta(seconds=CLOCKS_DIFFER_S)
        return any(-clocks_differ < self._now - moment < span for moment in moments)

    def _unchanged(self, path: str) -> Content | None:
        entry, known = self.entries[path], self.known.get(path)
        if known is None or (known.size_bytes, known.modified) != (entry.size_bytes, entry.modified):
            return None
        return known


def _identity(path: str, content: Content) -> tuple[str, tuple[int, str]]:
    file = path.removesuffix(f"/{content.part}") if content.part else path
    return file.rpartition("/")[0], content_of(content.size_bytes, content.part, content.fingerprint)
