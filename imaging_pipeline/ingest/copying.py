"""Files that may still be being copied: which are too new to be read, and which of their errors may pass."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from imaging_pipeline.errors import PathError, PipelineError, Responsible, StillCopyingError, TruncatedError
from imaging_pipeline.ingest.damaged_tifs import DamagedTifs
from imaging_pipeline.ingest.listing import FileEntry

# A copy writes one file without long pauses, even where the whole folder takes hours: a file that did not
# grow for so long is not being copied any more.
PATIENCE_S = 3600.0

# Times of files are the file server's, "now" is this machine's. A time further ahead is a wrong clock's.
CLOCKS_DIFFER_S = 900.0

_RETRIED = "nothing; the folder is looked at again."


@dataclass(frozen=True)
class Copying:
    """The files of a folder, as old as they are now.

    Attributes
    ----------
    folder
        Where they lie.
    settle
        How long ago a file must have been written before it counts as copied.
    now
        UTC without a zone.
    damaged_tifs
        What the request says of tifs that will never be whole.
    """

    folder: Path
    settle: timedelta
    now: datetime
    damaged_tifs: DamagedTifs = DamagedTifs.REFUSE

    def check_settled(self, files: Sequence[FileEntry]) -> None:
        """Raise StillCopyingError if a file was written a moment ago."""
        fresh = [file for file in files if self._is_within(self.settle, file.modified)]
        if fresh:
            last = max(fresh, key=lambda file: file.modified)
            raise StillCopyingError(
                "Files are still being copied",
                path=self.folder / last.path,
                found=f"{len(fresh)} written in the last {self.settle.total_seconds():g} s",
                remedy="nothing; the request waits until the files have rested.",
            )

    def may_change(self, file: FileEntry) -> bool:
        """Return True if a file was written, or arrived, so recently that it may still be growing."""
        return self._is_within(timedelta(seconds=PATIENCE_S), file.modified, file.arrived)

    @contextmanager
    def reading(self, file: FileEntry) -> Iterator[None]:
        """Read a file in the block.

        Raises
        ------
        StillCopyingError
            It cannot be read now, and may become readable later: the request waits.
        PathError
            It may not be read.
        PipelineError
            What the block raises.
        """
        path = self.folder / file.path
        try:
            yield
        except TruncatedError as error:
            if not self.may_change(file):
                raise
            raise StillCopyingError(
                "A file is still being copied, or was never copied whole",
                path=path,
                found=error.found,
                allowed=error.allowed,
                remedy="nothing while it is being copied; else copy it again. When it has not changed for"
                f" {PATIENCE_S / 60:g} min, it {self._later}.",
            ) from error
        except FileNotFoundError as error:
            raise StillCopyingError(
                "A file went away while the folder was read", path=path, remedy=_RETRIED
            ) from error
        # Some of these are an OSError as well, and say more than one of the system.
        except PipelineError:
            raise
        except OSError as error:
            reason = error.strerror or error
            if isinstance(error, PermissionError) and not self.may_change(file):
                raise PathError(
                    "The file may not be read",
                    path=path,
                    found=reason,
                    remedy="give the account of the worker the right to read it.",
                    responsible=Responsible.ADMINISTRATOR,
                ) from error
            raise StillCopyingError(
                "A file cannot be read now", path=path, found=reason, remedy=_RETRIED
            ) from error

    @property
    def _later(self) -> str:
        """What becomes of a truncated file that does not change any more."""
        if self.damaged_tifs is DamagedTifs.REFUSE:
            return "becomes an error"
        return f"counts as damaged, of which the request says damaged_tifs = '{self.damaged_tifs}'"

    def _is_within(self, span: timedelta, *moments: datetime) -> bool:
        """Return True if any moment is less than a time span ago; one far in the future does not count."""
        clocks_differ = timedelta(seconds=CLOCKS_DIFFER_S)
        # Without the lower bound a file that is dated years ahead would count as just written until then.
        return any(-clocks_differ < self.now - moment < span for moment in moments)
