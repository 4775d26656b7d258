"""Places, shapes, types, names and attributes that readers of HDF5 files stumble over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

import h5py
import numpy as np

from tests.fuzz.oddities import FLOATS, INTEGERS, TEXTS

# From the folder of the file that is read; the second is the same place by a name that begins at the root.
SECRETS = ("../secret/canary.h5", "/proc/self/cwd/../secret/canary.h5")
SECRET_DATASET, SECRET_BYTES = "canary", "../secret/canary.bin"

SHAPES = (
    *((), (0,), (1,), (3,), (1, 1), (20, 8, 12), (0, 8, 12), (2, 0, 3), (1,) * 32, (5, 5)),
    *((2**40,), (2**20, 2**20, 2**20), (2**62,), (2**31, 2), (100_000, 8, 12)),
)
TYPES = (
    *("u1", "i8", ">u2", "f2", "f8", "c16", "S5", "S70000", "?", "V7", "M8[us]"),
    *(h5py.string_dtype(), h5py.ref_dtype, h5py.regionref_dtype, h5py.vlen_dtype(np.int32)),
    *(np.dtype([("a", "i4"), ("b", "S3")]), np.dtype(("i4", (2, 2))), h5py.enum_dtype({"a": 1}, "i4")),
    np.dtype([("r", h5py.ref_dtype), ("v", h5py.string_dtype())]),
)
NAMES = (
    *("Channel_0", "Channel_1", "Channel_00", "Channel_" + "9" * 5000, "Channel_٣", "Curve_0", "Curve_7"),
    *("MSession_0", "MSession_1", "MUnit_0", "MUnit_2", "MUnit_1000000000000000000000000", "a\nb\x1b[31m"),
    *(
        "CurveDataYRawData",
        "CurveDataXRawData",
        "CurveDataXRawDelta",
        "Fcell",
        "ops",
        "stat",
        "dat",
        "#refs#",
    ),
    *("MATLAB_empty", "\udcff", "x" * 60_000, "iscell", "fsroot", "name"),
)
ATTRIBUTES = (
    *("MATLAB_class", "MATLAB_empty", "MATLAB_int_decode", "MATLAB_fields", "H5PATH", "MethodType", "Name"),
    *("XDim", "ZDim", "VecChannelsSize", "MeasurementDatePosix", "MeasurementDateNanoSecs", "TStepInMs"),
    *("ZAxisConversionUnitName", "ZAxisConversionConversionLinearScale", "Comment", "Channel_0_Name"),
)
CLASSES = (
    "double",
    "single",
    "char",
    "cell",
    "struct",
    "logical",
    "uint8",
    "int64",
    "function_handle",
    "",
    "table",
)


def attribute(random: Random, references: Sequence[Any]) -> Any:
    """Return an odd value of an attribute, or None for none."""
    values: tuple[Callable[[], Any], ...] = (
        lambda: None,
        lambda: random.choice(FLOATS),
        lambda: random.choice([n for n in INTEGERS if -(2**63) <= n < 2**64]),
        lambda: random.choice([text for text in TEXTS if len(text) < 60_000 and "\0" not in text]),
        lambda: np.bytes_(random.choice((b"\xff\xfe", b"a\nb", b"double", b"x" * 60_000))),
        lambda: np.array([random.choice((0, 10, 0x1B, 0xD800, 65_535)) for _ in range(5)], np.uint16),
        lambda: np.array([2**40, -1, 0x110000]),
        lambda: np.zeros(random.choice((0, 1, 2, 7000)), random.choice(("u1", "f8", "i8", "c16", "?", "S4"))),
        lambda: h5py.Empty(random.choice(("f8", "S3"))),
        lambda: random.choice(references),
        lambda: np.array([(1, b"a")], [("a", "i4"), ("b", "S3")]),
    )
    return random.choice(values)()
