"""Groups of an HDF5 file, whose links are followed only within the file."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import partial
from typing import Any

import h5py
from h5py import h5g, h5l, h5o, h5r

from imaging_pipeline.printable import printable
from imaging_pipeline.readers.hdf5.attributes import Attributes
from imaging_pipeline.readers.hdf5.dataset import Dataset
from imaging_pipeline.readers.hdf5.source import MAX_DEPTH, MAX_MEMBERS, MAX_SOFT_LINKS, Source


class Group:
    """A group, which may be the root of a file.

    Parameters
    ----------
    source
        The file.
    group_id
        The open group.
    name
        How it was reached, in the file.
    depth
        Links and references that were followed to it.
    """

    is_group = True

    def __init__(self, source: Source, group_id: Any, name: str = "", depth: int = 0) -> None:
        self._source, self._id, self._depth = source, group_id, depth
        self.name = name

    @property
    def attrs(self) -> Attributes:
        """Its attributes."""
        return Attributes(self._source, self._id, self.name or "/")

    @property
    def _shown(self) -> str:
        return printable(self.name or "/")

    def __iter__(self) -> Iterator[str]:
        """Yield the names of its members; nothing is opened."""
        with self._source.reading():
            num_members = self._id.get_num_objs()
            if num_members > MAX_MEMBERS:
                raise self._source.too_large(self._shown, f"{num_members} members", f"{MAX_MEMBERS}")
            # A name that is no UTF-8 must lead back to the same member.
            names = [name.decode("utf-8", "surrogateescape") for name in self._id]
        return iter(names)

    def __contains__(self, name: str) -> bool:
        """Return True if a member is there; a link out of the file raises UnsafeContentError."""
        with self._source.reading():
            return self._member(_parts(name)) is not None

    def __getitem__(self, name: str) -> Group | Dataset:
        """Open a member by its name, or by names separated by ``/``.

        Raises
        ------
        UnsafeContentError
            A link, or the content of a dataset, leads out of the file.
        FormatError
            It is neither group nor dataset, groups contain each other, or a dataset is not one that is read.
        TruncatedError
            There is no such member, or it is damaged.
        """
        with self._source.reading():
            parts = _parts(name)
            member = self._member(parts)
            if member is None:
                raise KeyError(f"{self._shown} has no {printable(name)}")
            return self._wrapped(member, f"{self.name}/{name}", len(parts))

    def _referred(self, reference: Any) -> Group | Dataset:
        """Open what a reference leads to, as for a member."""
        with self._source.reading():
            if not reference:
                raise ValueError("a reference that leads nowhere")
            self._source.count_step()
            target = h5r.dereference(reference, self._id)
            return self._wrapped(target, f"{self.name}/(by reference)", 1)

    def _wrapped(self, opened: Any, name: str, num_steps: int) -> Group | Dataset:
        depth = self._depth + num_steps
        if depth > MAX_DEPTH:
            found = f"more than {MAX_DEPTH} levels"
            raise self._source.refused(
                "Groups of the HDF5 file contain each other", self._shown, found, MAX_DEPTH
            )
        if isinstance(opened, h5g.GroupID):
            return Group(self._source, opened, name, depth)
        # The depth goes on through references, so that objects that refer to each other come to an end.
        below = Group(self._source, self._id, name, depth)
        if isinstance(opened, h5py.h5d.DatasetID):
            return Dataset(self._source, opened, name, partial(Group._referred, below))
        raise self._source.refused(
            "An object of the HDF5 file is not read", printable(name), "a type", "groups and datasets"
        )

    def _member(self, parts: list[bytes]) -> Any:
        """Open a member link by link, or return None if it is not there.

        HDF5 itself would follow a path of links wherever they lead.
        """
        pending, current, num_soft = deque(parts), self._id, 0
        while pending:
            self._source.count_step()
            part = pending.popleft()
            if not isinstance(current, h5g.GroupID) or not current.links.exists(part):
                return None
            kind = current.links.get_info(part).type
            # A hard link cannot leave the file: the only kind that HDF5 may follow by itself.
            if kind == h5l.TYPE_HARD:
                current = h5o.open(current, part)
                continue
            self._require_soft(current, part, kind)
            num_soft += 1
            if num_soft > MAX_SOFT_LINKS:
                shown = printable(f"{self.name}/{printable(part)}")
                found = f"more than {MAX_SOFT_LINKS} links"
                raise self._source.refused(
                    "Links of the HDF5 file lead to each other", shown, found, MAX_SOFT_LINKS
                )
            target = current.links.get_val(part)
            # An absolute target begins at the root, another one at the group that holds the link.
            current = h5o.open(current, b"/") if target.startswith(b"/") else current
            pending.extendleft(reversed(_split(target)))
        return current

    def _require_soft(self, group_id: Any, part: bytes, kind: int) -> None:
        shown = printable(f"{self.name}/{printable(part)}")
        if kind == h5l.TYPE_EXTERNAL:
            file_name, object_name = group_id.links.get_val(part)
            found = f"external link to {printable(object_name)} in {printable(file_name)}"
            raise self._source.unsafe(shown, found)
        if kind != h5l.TYPE_SOFT:
            raise self._source.unsafe(shown, f"user-defined link of the type {kind}")


def _parts(name: str) -> list[bytes]:
    return _split(name.encode("utf-8", "surrogateescape"))


def _split(path: bytes) -> list[bytes]:
    # HDF5 has no `..` for the group above: a member may have this name.
    return [part for part in path.split(b"/") if part not in (b"", b".")]
