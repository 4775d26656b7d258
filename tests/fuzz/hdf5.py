"""HDF5 files that HDF5 itself wrote, but not as the reader expects: links, datasets and attributes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import h5py
import numpy as np

from tests.fuzz.hdf5_oddities import (
    ATTRIBUTES,
    CLASSES,
    NAMES,
    SECRET_BYTES,
    SECRET_DATASET,
    SECRETS,
    SHAPES,
    TYPES,
    attribute,
)
from tests.fuzz.oddities import FLOATS, INTEGERS

_MAX_OBJECTS = 300


def link_outside(random: Random, file: Any) -> None:
    group, name = _member(random, file)
    _remove(group, name)
    group[name] = h5py.ExternalLink(
        random.choice(SECRETS), random.choice((SECRET_DATASET, "/", "attributes"))
    )


def link_softly(random: Random, file: Any) -> None:
    group, name = _member(random, file)
    _remove(group, name)
    target = random.choice((name, group.name, "/", "/nothing", ".", "a" * 60_000, _object(random, file).name))
    group[name] = h5py.SoftLink(target)


def link_in_a_circle(random: Random, file: Any) -> None:
    """Return a group, or one that it is in, a second name within itself."""
    group, name = _member(random, file)
    _remove(group, name)
    group[name] = random.choice((group, file, group.parent))


def exchange(random: Random, file: Any) -> None:
    """Put one object in the place of another."""
    group, name = _member(random, file)
    other = _object(random, file)
    _remove(group, name)
    group[name] = other


def remove(random: Random, file: Any) -> None:
    _remove(*_member(random, file))


def rename(random: Random, file: Any) -> None:
    group, name = _member(random, file)
    group.move(name, random.choice(NAMES))


def add(random: Random, file: Any) -> None:
    group, name = _member(random, file)
    new_name = random.choice((*NAMES, name + "0"))
    group[new_name] = random.choice((group[name], _object(random, file)))


def map_outside(random: Random, file: Any) -> None:
    """Put a dataset whose numbers lie in another file."""
    group, name, shape, dtype = _replaceable(random, file)
    attributes = _remove(group, name)
    _create_mapped(
        group, name, h5py.h5s.create_simple(shape), dtype, (random.choice(SECRETS), SECRET_DATASET)
    )
    group[name].attrs.update(attributes)


def store_outside(random: Random, file: Any) -> None:
    """Put a dataset whose bytes lie in another file."""
    group, name, shape, dtype = _replaceable(random, file)
    attributes = _remove(group, name)
    external = [(random.choice((SECRET_BYTES, SECRETS[0])), 0, h5py.h5f.UNLIMITED)]
    group.create_dataset(name, shape, dtype, external=external).attrs.update(attributes)


def map_within(random: Random, file: Any) -> None:
    """Put a dataset that is made of itself or of another one in the file."""
    group, name, shape, dtype = _replaceable(random, file)
    source = random.choice((group.name + "/" + name, _object(random, file).name))
    attributes = _remove(group, name)
    _create_mapped(group, name, h5py.h5s.create_simple(shape), dtype, (".", source))
    group[name].attrs.update(attributes)


def _create_mapped(group: Any, name: str, space: Any, dtype: np.dtype[Any], source: tuple[str, str]) -> None:
    """Create a dataset that is another one, by its file and name, without noting when it was created."""
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_obj_track_times(False)
    properties.set_virtual(space, *(text.encode() for text in source), space)
    h5py.h5d.create(group.id, name.encode(), h5py.h5t.py_create(dtype, logical=1), space, properties)


def change_shape(random: Random, file: Any) -> None:
    """Put a dataset of another shape, which is not written and so needs no room however large it is."""
    group, name, _, dtype = _replaceable(random, file)
    shape = random.choice(SHAPES)
    attributes = _remove(group, name)
    group.create_dataset(name, shape, dtype, **_layout(random, shape)).attrs.update(attributes)


def change_type(random: Random, file: Any) -> None:
    group, name, shape, _ = _replaceable(random, file)
    attributes = _remove(group, name)
    group.create_dataset(name, shape, random.choice(TYPES)).attrs.update(attributes)


def change_numbers(random: Random, file: Any) -> None:
    """Fill a dataset with odd numbers, or make it empty or a type of its own."""
    group, name, shape, dtype = _replaceable(random, file)
    attributes = _remove(group, name)
    number = random.choice((*FLOATS, *(float(n) for n in INTEGERS if abs(n) < 2**64)))
    with np.errstate(all="ignore"):
        value = np.full(shape, number).astype(random.choice((dtype, np.dtype("f8"), np.dtype("u1"))))
    group[name] = random.choice((value, value.ravel(), value[..., None], h5py.Empty("f8"), np.dtype("f8")))
    group[name].attrs.update(attributes)


def refer(random: Random, file: Any) -> None:
    """Put references to whatever the file has, or to nothing, also from within what is referred to."""
    group, name = _member(random, file)
    attributes = _remove(group, name)
    targets = (h5py.Reference(), file.ref, group.ref, _object(random, file).ref)
    count = random.choice((1, 2, 5))
    dataset = group.create_dataset(name, (count, 1), h5py.ref_dtype)
    dataset.attrs.update(attributes)
    dataset[:, 0] = [random.choice((*targets, dataset.ref)) for _ in range(count)]
    if random.random() < 0.7:
        dataset.attrs["MATLAB_class"] = np.bytes_("cell")


def change_attribute(random: Random, file: Any) -> None:
    held = _object(random, file)
    names = [*held.attrs] if random.random() < 0.7 else []
    name = random.choice(names or [*ATTRIBUTES, *NAMES[:5]])
    value = attribute(random, (file.ref, _object(random, file).ref))
    if name in held.attrs:
        del held.attrs[name]
    if value is not None:
        held.attrs[name] = value


def change_class(random: Random, file: Any) -> None:
    """Change what MATLAB class, or kind of measurement, an object says that it is."""
    held = _object(random, file)
    if random.random() < 0.7:
        held.attrs["MATLAB_class"] = np.bytes_(random.choice(CLASSES))
    if random.random() < 0.3:
        held.attrs["MATLAB_empty"] = random.choice((np.uint8(1), np.uint8(0), "x"))
    held.attrs["MethodType"] = random.choice((1, 2, 6, -1, 1.5))


def nest(random: Random, file: Any) -> None:
    """Nest groups deep, or references to references."""
    group, name = _member(random, file)
    _remove(group, name)
    for _ in range(random.choice((10, 100, 1500))):
        group = group.create_group(name)
        if random.random() < 0.9:
            group.attrs["MATLAB_class"] = np.bytes_("struct")


def crowd(random: Random, file: Any) -> None:
    """Add many objects, or many attributes."""
    group, name = _member(random, file)
    held = group[name]
    for number in range(random.choice((10, 300, 2000))):
        if random.random() < 0.5:
            group[f"{name.rstrip('0123456789')}{number + 5}"] = held
        else:
            held.attrs[f"more{number}"] = number


def _objects(file: Any) -> list[Any]:
    """Return the objects of a file, at least those that come first."""
    found = [file]

    def collect(name: str) -> bool | None:
        held = file.get(name)
        if held is not None:
            found.append(held)
        return True if len(found) >= _MAX_OBJECTS else None

    file.visit(collect)
    return found


def _object(random: Random, file: Any) -> Any:
    return random.choice(_objects(file))


def _member(random: Random, file: Any) -> tuple[Any, str]:
    """Choose a group and the name of something in it."""
    groups = [held for held in _objects(file) if isinstance(held, h5py.Group) and len(held)]
    group = random.choice(groups)
    return group, random.choice([*group])


def _remove(group: Any, name: str) -> dict[str, Any]:
    """Remove an object and return its attributes."""
    held = group.get(name)
    attributes = {} if held is None else dict(held.attrs)
    del group[name]
    return attributes


def _replaceable(random: Random, file: Any) -> tuple[Any, str, tuple[int, ...], np.dtype[Any]]:
    """Choose a dataset with a shape: its group, name, shape and type."""
    datasets = [held for held in _objects(file) if isinstance(held, h5py.Dataset) and held.shape is not None]
    dataset = random.choice([held for held in datasets if held.dtype.kind in "uif"])
    return dataset.parent, dataset.name.rpartition("/")[2], dataset.shape, dataset.dtype


def _layout(random: Random, shape: tuple[int, ...]) -> dict[str, Any]:
    is_large = np.prod([float(size) for size in shape]) > 10**6
    if not shape or 0 in shape or not (is_large or random.random() < 0.5):
        return {}
    chunks = tuple(min(size, random.choice((1, 7, 1000, 10**6))) for size in shape)
    if np.prod([float(size) for size in chunks]) > 2**28:
        chunks = (1,) * len(shape)
    filters = ({"compression": "gzip"}, {"compression": "lzf"}, {"shuffle": True}, {"fletcher32": True}, {})
    return {"chunks": chunks, **random.choice(filters)}


def mutated(change: Callable[[Random, Any], None]) -> Callable[[Random, bytes], bytes]:
    """Return a change of an open file as one of its bytes; what HDF5 does not write stays as it was."""

    def change_bytes(random: Random, content: bytes) -> bytes:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "changed.h5"
            path.write_bytes(content)
            try:
                with h5py.File(path, "r+") as file:
                    change(random, file)
            except (ValueError, TypeError, KeyError, OSError, RuntimeError, IndexError, OverflowError):
                return content
            return path.read_bytes()

    change_bytes.__name__ = change.__name__
    return change_bytes


MUTATIONS = tuple(
    mutated(change)
    for change in (
        *(
            link_outside,
            link_softly,
            link_in_a_circle,
            exchange,
            remove,
            rename,
            add,
            map_outside,
            store_outside,
        ),
        *(map_within, change_shape, change_type, change_numbers, refer, change_attribute, change_attribute),
        *(change_class, nest, crowd),
    )
)
