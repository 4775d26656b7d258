"""HDF5 files of a stranger: whole recordings in which one object does what no recording needs.

Each is written to ``path``, which is given back; ``target`` is the file that it would have read.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from tests.makers.folders import aged
from tests.makers.matlab_file import write_v73
from tests.makers.mesc import FRAMES, HEIGHT, WIDTH, MescUnitSpec, write_mesc
from tests.makers.suite2p_matlab import MatlabSpec, content

UNIT = "MSession_0/MUnit_0"
CHANNEL = f"{UNIT}/Channel_0"
SHAPE = (FRAMES, HEIGHT, WIDTH)
TARGET = Path("elsewhere.h5")
# What is in the target, as raw bytes and as a dataset.
SECRET = "the salary of the director"
UNKNOWN_FILTER = 32_001
HOSTILE_NAME = "\x1b[31mred\r\n" + "x" * 50_000

_NUM_BYTES = int(np.prod(SHAPE)) * 2


def write_target(path: Path) -> Path:
    """Write a file that is no part of the recording: its dataset ``secret`` looks like a channel."""
    with h5py.File(path, "w") as file:
        file["secret"] = np.full(SHAPE, 0x5353, np.uint16)
        file["words"] = SECRET
    with path.open("ab") as file:
        file.write(SECRET.encode() * (_NUM_BYTES // len(SECRET) + 1))
    return path


def write_external_link(path: Path, target: Path = TARGET) -> Path:
    with _without_channel(path) as file:
        file[CHANNEL] = h5py.ExternalLink(str(target), "/secret")
    return aged(path)


def write_external_unit(path: Path, target: Path = TARGET) -> Path:
    """Write a file in which a whole measurement is a link."""
    with _without_channel(path) as file:
        file["MSession_0/MUnit_1"] = h5py.ExternalLink(str(target), "/")
    return aged(path)


def write_soft_link_to_external_link(path: Path, target: Path = TARGET) -> Path:
    with _without_channel(path) as file:
        file["elsewhere"] = h5py.ExternalLink(str(target), "/")
        file[CHANNEL] = h5py.SoftLink("/elsewhere/secret")
    return aged(path)


def write_external_storage(path: Path, target: Path = TARGET) -> Path:
    with _without_channel(path) as file:
        file.create_dataset(CHANNEL, SHAPE, np.uint16, external=[(str(target), 0, _NUM_BYTES)])
    return aged(path)


def write_virtual_dataset(path: Path, target: Path = TARGET) -> Path:
    """Write a file whose channel is as long as another file's dataset, which is opened to count."""
    layout = h5py.VirtualLayout(SHAPE, np.uint16, maxshape=(None, HEIGHT, WIDTH))
    source = h5py.VirtualSource(str(target), "secret", SHAPE, np.uint16, maxshape=(None, HEIGHT, WIDTH))
    layout[: h5py.h5s.UNLIMITED] = source[: h5py.h5s.UNLIMITED]
    with _without_channel(path) as file:
        file.create_virtual_dataset(CHANNEL, layout)
    return aged(path)


def write_user_defined_link(path: Path, target: Path = TARGET) -> Path:
    """Write a file with a link of a type that some program may have registered: 65; an external one is 64."""
    write_external_link(path, target)
    content = path.read_bytes()
    # A link message: version 1, flags 8 for the type that follows, length of the name, name.
    external, own = (b"\x01\x08" + kind + b"\x09Channel_0" for kind in (b"\x40", b"\x41"))
    assert content.count(external) == 1
    path.write_bytes(content.replace(external, own))
    return aged(path)


def write_soft_link_loop(path: Path) -> Path:
    with _without_channel(path) as file:
        file["there"] = h5py.SoftLink(f"/{CHANNEL}")
        file[CHANNEL] = h5py.SoftLink("/there")
    return aged(path)


def write_huge_chunk(path: Path, side: int = 12_000) -> Path:
    """Write a frame of 288 MB as one chunk that takes 280 kB."""
    with _without_channel(path, YDim=side, XDim=side, ZDim=1) as file:
        channel = file.create_dataset(
            CHANNEL, (1, side, side), np.uint16, chunks=(1, side, side), compression="gzip"
        )
        channel.id.write_direct_chunk((0, 0, 0), _zeros(side * side * 2))
    return aged(path)


def write_chunk_that_unpacks_to_more(path: Path, num_bytes: int = 64 * 2**20) -> Path:
    """Write frames of 64 kB of which one unpacks to 64 MB."""
    height, width = 128, 256
    with _without_channel(path, YDim=height, XDim=width) as file:
        shape = (FRAMES, height, width)
        channel = file.create_dataset(
            CHANNEL, data=np.zeros(shape, np.uint16), chunks=(1, height, width), compression="gzip"
        )
        channel.id.write_direct_chunk((0, 0, 0), _zeros(num_bytes))
    return aged(path)


def write_late_allocated(path: Path, chunks: bool = False, num_frames: int = 1_000_000) -> Path:
    """Write a movie of two terabytes that was announced and never recorded."""
    with _without_channel(path, YDim=1024, XDim=1024, ZDim=num_frames) as file:
        shape = (num_frames, 1024, 1024)
        file.create_dataset(CHANNEL, shape, np.uint16, chunks=(1, 1024, 1024) if chunks else None)
    return aged(path)


def write_missing_chunks(path: Path) -> Path:
    return write_late_allocated(path, chunks=True)


def write_missing_chunk(path: Path, frame: int = 10) -> Path:
    """Write a movie that lacks one frame; the fingerprint reads frame 10, and only the mean image frame 1."""
    with _without_channel(path) as file:
        channel = file.create_dataset(CHANNEL, SHAPE, np.uint16, chunks=(1, HEIGHT, WIDTH))
        for number in set(range(FRAMES)) - {frame}:
            channel[number] = number + 1
    return aged(path)


def write_chunk_of_other_size(path: Path, num_bytes: int = 9000) -> Path:
    """Write a movie whose index says that its first frame takes more bytes than a frame has."""
    write_mesc(path, MescUnitSpec(0, seed=1))
    content, frame_bytes = path.read_bytes(), HEIGHT * WIDTH * 2
    # A key of the index: bytes of the chunk, filters that were skipped, and where in the movie it begins.
    key = frame_bytes.to_bytes(4, "little") + bytes(4 + 4 * 8)
    assert content.count(key) == 1
    path.write_bytes(content.replace(key, num_bytes.to_bytes(4, "little") + key[4:]) + bytes(num_bytes))
    return aged(path)


def write_unknown_filter(path: Path) -> Path:
    with _without_channel(path) as file:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        plist.set_chunk((1, HEIGHT, WIDTH))
        plist.set_filter(UNKNOWN_FILTER, h5py.h5z.FLAG_OPTIONAL)
        space = h5py.h5s.create_simple(SHAPE)
        parent = file[UNIT].id
        dataset = h5py.h5d.create(parent, b"Channel_0", h5py.h5t.STD_U16LE, space, plist)
        for frame in range(FRAMES):
            dataset.write_direct_chunk((frame, 0, 0), bytes(HEIGHT * WIDTH * 2))
    return aged(path)


def write_many_texts(path: Path) -> Path:
    """Write an attribute of 50,000 texts, whose lengths only reading tells."""
    return _with_attribute(path, np.full(50_000, "text", object), h5py.string_dtype())


def write_list_attribute(path: Path) -> Path:
    """Write an attribute that is a list of variable length."""
    values = np.empty(1, object)
    values[0] = np.arange(1000)
    return _with_attribute(path, values, h5py.vlen_dtype(np.int64))


def write_large_attribute(path: Path) -> Path:
    return _with_attribute(path, np.ones(4 * 2**20, np.uint8), np.uint8)


def write_many_units(path: Path, num_units: int = 2001) -> Path:
    """Write one measurement under many names."""
    return _with_links(path, UNIT, "MSession_0/MUnit", num_units)


def write_many_curves(path: Path, num_curves: int = 201) -> Path:
    """Write one curve under many names."""
    return _with_links(path, f"{UNIT}/Curve_0", f"{UNIT}/Curve", num_curves)


def write_hostile_name(path: Path) -> Path:
    """Write a curve that has nothing but a member with a name that would colour a terminal."""
    write_mesc(path, MescUnitSpec(0))
    with h5py.File(path, "a") as file:
        del file[f"{UNIT}/Curve_0/CurveDataYRawData"]
        file[f"{UNIT}/Curve_0"].create_group(HOSTILE_NAME)
    return aged(path)


def write_pipe(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(path)
    return aged(path)


def write_matlab_reference_to_external_storage(path: Path, target: Path = TARGET) -> Path:
    """Write a result of Suite2p whose traces are another file's bytes."""
    with _result(path) as file:
        shape = (60, 5)
        outside = file.create_dataset(
            "#refs#/outside", shape, np.float32, external=[(str(target), 0, 60 * 5 * 4)]
        )
        outside.attrs["MATLAB_class"] = np.bytes_("single")
        file["Fcell"][...] = np.array([[outside.ref]], h5py.ref_dtype)
    return aged(path)


def write_matlab_external_link(path: Path, target: Path = TARGET) -> Path:
    with _result(path) as file:
        del file["Fcell"]
        file["Fcell"] = h5py.ExternalLink(str(target), "/secret")
    return aged(path)


def write_matlab_many_references(path: Path, num_references: int = 10**9) -> Path:
    """Write a cell array of a thousand million elements, which take nothing in the file."""
    with _result(path) as file:
        del file["Fcell"]
        cells = file.create_dataset("Fcell", (num_references, 1), h5py.ref_dtype)
        cells.attrs["MATLAB_class"] = np.bytes_("cell")
    return aged(path)


def write_matlab_region_references(path: Path) -> Path:
    with _result(path) as file:
        traces = file[file["Fcell"][0, 0]]
        del file["Fcell"]
        regions = np.array([traces.regionref[:1]], h5py.regionref_dtype)
        file.create_dataset("Fcell", data=regions[:, None], dtype=h5py.regionref_dtype)
        file["Fcell"].attrs["MATLAB_class"] = np.bytes_("cell")
    return aged(path)


def write_matlab_group_in_itself(path: Path) -> Path:
    """Write a result whose struct ``dat`` holds itself."""
    with _result(path) as file:
        group = file.create_group("dat")
        group.attrs["MATLAB_class"] = np.bytes_("struct")
        group["dat"] = group
    return aged(path)


def write_matlab_long_text(path: Path) -> Path:
    """Write an option of ten million characters, which take 20 kB in the file."""
    with _result(path) as file:
        del file["ops/mouse_name"]
        letters = np.full((10_000_000, 1), ord("x"), np.uint16)
        text = file.create_dataset("ops/mouse_name", data=letters, compression="gzip", chunks=(1_000_000, 1))
        text.attrs["MATLAB_class"] = np.bytes_("char")
    return aged(path)


LEADING_OUT: Mapping[str, Callable[[Path, Path], Path]] = {
    "external link": write_external_link,
    "external unit": write_external_unit,
    "soft link to an external link": write_soft_link_to_external_link,
    "external storage": write_external_storage,
    "virtual dataset": write_virtual_dataset,
    "user-defined link": write_user_defined_link,
}
WITHOUT_TARGET: Mapping[str, Callable[[Path], Path]] = {
    "soft links to each other": write_soft_link_loop,
    "huge chunk": write_huge_chunk,
    "chunk that unpacks to more": write_chunk_that_unpacks_to_more,
    "late allocation": write_late_allocated,
    "missing chunks": write_missing_chunks,
    "missing chunk": write_missing_chunk,
    "unknown filter": write_unknown_filter,
    "many texts": write_many_texts,
    "list attribute": write_list_attribute,
    "large attribute": write_large_attribute,
    "many units": write_many_units,
    "many curves": write_many_curves,
    "hostile name": write_hostile_name,
}
MATLAB_LEADING_OUT: Mapping[str, Callable[[Path, Path], Path]] = {
    "reference to external storage": write_matlab_reference_to_external_storage,
    "external link": write_matlab_external_link,
}
MATLAB_WITHOUT_TARGET: Mapping[str, Callable[[Path], Path]] = {
    "many references": write_matlab_many_references,
    "region references": write_matlab_region_references,
    "group in itself": write_matlab_group_in_itself,
    "long text": write_matlab_long_text,
}


def _without_channel(path: Path, **attributes: Any) -> h5py.File:
    """Open a new recording to write the only channel of its measurement; some attributes differ."""
    write_mesc(path, MescUnitSpec(0, attributes=attributes))
    file = h5py.File(path, "a")
    del file[CHANNEL]
    return file


def _with_attribute(path: Path, values: np.ndarray, dtype: Any) -> Path:
    write_mesc(path, MescUnitSpec(0, attributes={"Comment": None}))
    # In the format that can hold attributes of more than 64 kB.
    with (
        h5py.File(path, "a", libver="latest") as file,
        h5py.File(path.with_suffix(".new"), "w", libver="latest") as new,
    ):
        for name in file:
            file.copy(name, new)
        old = new[UNIT]
        renewed = new.create_group("renewed")
        for name in list(old):
            new.move(f"{UNIT}/{name}", f"renewed/{name}")
        renewed.attrs.update(old.attrs)
        renewed.attrs.create("Comment", values, dtype=dtype)
        del new[UNIT]
        new.move("renewed", UNIT)
    path.with_suffix(".new").replace(path)
    return aged(path)


def _with_links(path: Path, linked: str, prefix: str, number: int) -> Path:
    write_mesc(path, MescUnitSpec(0))
    with h5py.File(path, "a") as file:
        held = file[linked]
        for each in range(number):
            if f"{prefix}_{each}" not in file:
                file[f"{prefix}_{each}"] = held
    return aged(path)


def _result(path: Path) -> h5py.File:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_v73(path, content(MatlabSpec()))
    return h5py.File(path, "a")


def _zeros(num_bytes: int) -> bytes:
    """Return deflated zeros without having them all in memory."""
    packer, block = zlib.compressobj(9), bytes(2**20)
    parts = [
        packer.compress(block[: min(len(block), num_bytes - first)])
        for first in range(0, num_bytes, len(block))
    ]
    return b"".join([*parts, packer.flush()])
