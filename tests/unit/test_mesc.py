"""Femtonics' files: what was measured in them, and what they say of it."""

from __future__ import annotations

import os
import re
import struct
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, NothingFoundError, TruncatedError
from imaging_pipeline.readers.mesc.file import read_mean_image, read_recording, read_units
from tests.makers.mesc import (
    HEIGHT,
    LINE_SCAN,
    START_UTC,
    WIDTH,
    Z_STACK,
    Curve,
    MescUnitSpec,
    add_to_mesc,
    movie,
    words,
    write_mesc,
)
from tests.makers.scanimage import blank_end, truncate

TWO_CHANNELS = MescUnitSpec(3, channels=("UG", "UR"))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "recording.mesc"


def recording(path: Path, unit: MescUnitSpec = TWO_CHANNELS):
    return read_recording(write_mesc(path, unit), f"MSession_{unit.session}/MUnit_{unit.number}")


def test_a_time_series_tells_its_size_channels_and_times(path: Path) -> None:
    found = recording(path)
    assert (found.num_frames, found.height, found.width, found.dtype) == (20, HEIGHT, WIDTH, "uint16")
    assert [(each.name, each.scale, each.offset) for each in found.channels] == [
        ("UG", -0.5, 65_535.0),
        ("UR", -0.5, 65_535.0),
    ]
    assert (found.um_per_px_x, found.um_per_px_y, found.frame_period_ms) == (1.25, 1.5, 32.5)
    assert (found.version, found.start) == ("MESc 3.3", START_UTC)


def test_units_stand_in_the_order_of_their_numbers(path: Path) -> None:
    write_mesc(path, MescUnitSpec(10), MescUnitSpec(2), MescUnitSpec(1, session=1))
    assert [unit.name for unit in read_units(path)] == [
        "MSession_0/MUnit_2",
        "MSession_0/MUnit_10",
        "MSession_1/MUnit_1",
    ]


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        (MescUnitSpec(0), "time series"),
        (MescUnitSpec(0, method=Z_STACK), "z-stack"),
        (MescUnitSpec(0, method=LINE_SCAN), "line scan"),
        (MescUnitSpec(0, method=17), "measurement of the method 17"),
        (MescUnitSpec(0, method=None, attributes={"ZAxisGeomRole": 0}), "time series"),
        (MescUnitSpec(0, method=None, attributes={"ZAxisGeomRole": 3}), "z-stack"),
        (MescUnitSpec(0, method=None), "time series"),
        (MescUnitSpec(0, method=None, attributes={"ZAxisConversionTitle": words("z")}), "z-stack"),
        (MescUnitSpec(0, frames=0), "time series without a frame"),
    ],
)
def test_the_kind_is_told_by_the_method_or_by_the_third_axis(
    path: Path, unit: MescUnitSpec, kind: str
) -> None:
    (found,) = read_units(write_mesc(path, unit))
    assert found.kind == kind
    assert (found.recording is not None) == (kind == "time series")


def test_a_newer_file_says_the_time_between_frames_by_another_name(path: Path) -> None:
    assert recording(path, MescUnitSpec(0, attributes={"TStepInMs": 50.0})).frame_period_ms == 50.0


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.int16])
def test_text_is_read_however_it_is_written(path: Path, dtype: type) -> None:
    version = {"CreatingMEScVersion": words("MESc 3.5", dtype)}
    assert recording(path, MescUnitSpec(0, attributes=version)).version == "MESc 3.5"


@pytest.mark.parametrize("version", ["MESc 3.5", np.bytes_(b"MESc 3.5")])
def test_text_may_also_be_text(path: Path, version: object) -> None:
    assert recording(path, MescUnitSpec(0, attributes={"CreatingMEScVersion": version})).version == "MESc 3.5"


def test_curves_are_told_by_their_names_and_how_they_stand_in_time(path: Path) -> None:
    curves = (
        Curve("DiI1", next_sample=(0, 40, 80, 120)),
        Curve("encoder", values=range(9), step_ms=0.5),
        Curve("reward", values=(1, 1), times_ms=(3.5, 80.25)),
    )
    found = recording(path, MescUnitSpec(0, curves=curves)).curves
    assert [(each.name, each.group, each.time, each.num_values, each.step_ms) for each in found] == [
        ("DiI1", "Curve_0", "run lengths", 4, 0.05),
        ("encoder", "Curve_1", "uniform", 9, 0.5),
        ("reward", "Curve_2", "sampled", 2, None),
    ]


def test_the_preview_is_the_mean_of_the_first_frames_of_the_first_channel(path: Path) -> None:
    write_mesc(path, TWO_CHANNELS)
    mean = read_mean_image(path, "MSession_0/MUnit_3", max_frames=5)
    np.testing.assert_allclose(mean, movie(TWO_CHANNELS)[:5].mean(axis=0), rtol=1e-6)
    assert mean.dtype == np.float32


def test_the_fingerprint_stays_when_a_unit_is_added_or_the_file_is_written_anew(path: Path) -> None:
    before = recording(path).fingerprint
    add_to_mesc(path, MescUnitSpec(4, seed=9))
    assert read_recording(path, "MSession_0/MUnit_3").fingerprint == before
    contiguous = MescUnitSpec(3, channels=("UG", "UR"), chunks=None, attributes={"Comment": words("good")})
    assert recording(path, contiguous).fingerprint == before


@pytest.mark.parametrize(
    "other",
    [
        MescUnitSpec(3, channels=("UG", "UR"), seed=1),
        MescUnitSpec(3, channels=("UG", "UR"), frame_period_ms=33),
        MescUnitSpec(3, channels=("UG", "UR"), curves=(Curve("DiI1"),)),
    ],
)
def test_the_fingerprint_is_another_for_other_frames_settings_or_curves(
    path: Path, other: MescUnitSpec
) -> None:
    assert recording(path).fingerprint != recording(path, other).fingerprint


@pytest.mark.parametrize(
    ("attributes", "shown"),
    [
        ({"MeasurementDatePosix": None}, "MeasurementDatePosix is not there"),
        ({"MeasurementDatePosix": 0}, "1970-01-01"),
        ({"MeasurementDatePosix": 10**17}, "is no date"),
        ({"ZAxisConversionConversionLinearScale": -1.0}, "above 0"),
        ({"ZAxisConversionUnitName": words("s")}, "another unit than ms"),
        ({"XAxisConversionConversionLinearScale": np.nan}, "is no number"),
        ({"XDim": 13}, "XDim differs from the channels"),
        ({"VecChannelsSize": 3}, "Channels are missing"),
    ],
)
def test_a_time_series_that_does_not_say_what_it_must_is_refused_with_its_name(
    path: Path, attributes: dict[str, Any], shown: str
) -> None:
    with pytest.raises(FormatError, match=shown) as raised:
        recording(path, MescUnitSpec(7, attributes=attributes))
    assert "MSession_0/MUnit_7" in str(raised.value)
    assert str(path) in str(raised.value)


def test_channels_of_different_lengths_are_refused_with_both(path: Path) -> None:
    write_mesc(path, TWO_CHANNELS)
    with h5py.File(path, "a") as file:
        file["MSession_0/MUnit_3/Channel_1"].resize(19, axis=0)
    with pytest.raises(FormatError, match=r"\(20, 8, 12\)") as raised:
        read_recording(path, "MSession_0/MUnit_3")
    assert "(19, 8, 12)" in str(raised.value)


def test_a_truncated_file_is_refused_as_one_that_may_still_be_copied(path: Path) -> None:
    with pytest.raises(TruncatedError, match="truncated"):
        read_units(truncate(write_mesc(path, TWO_CHANNELS), 100))


def test_a_file_whose_content_has_not_arrived_may_still_be_copied(path: Path) -> None:
    blank_end(write_mesc(path, TWO_CHANNELS), path.stat().st_size - 600)
    with pytest.raises(TruncatedError):
        read_units(path)
    blank_end(path, path.stat().st_size)
    with pytest.raises(TruncatedError, match="not even its first bytes"):
        read_units(path)


def test_a_file_of_another_format_is_refused(path: Path) -> None:
    path.write_bytes(b"II*\0not this")
    with pytest.raises(FormatError, match="not an HDF5 file"):
        read_units(path)


def test_a_file_that_is_gone_is_told(path: Path) -> None:
    with pytest.raises(NothingFoundError, match="not there"):
        read_units(path)


def test_the_start_is_told_to_the_microsecond(path: Path) -> None:
    start = datetime(2023, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)
    assert recording(path, MescUnitSpec(0, start=start)).start == start


def test_a_cut_file_is_told_with_both_sizes_and_without_words_of_the_library(tmp_path: Path) -> None:
    path = write_mesc(tmp_path / "90218.mesc", MescUnitSpec(0))
    whole = path.stat().st_size
    os.truncate(path, whole - 1000)
    with pytest.raises(
        TruncatedError, match=f"Found: {whole - 1000} bytes; {whole} bytes when it was whole"
    ) as error:
        read_units(path)
    assert not re.search("eof|sblock|unable|h5|object", str(error.value), re.IGNORECASE)


def test_a_size_that_is_garbage_is_refused_at_once_and_not_taken_for_a_copy(tmp_path: Path) -> None:
    path = write_mesc(tmp_path / "90218.mesc", MescUnitSpec(0))
    content = path.read_bytes()
    # The end of the file, in the first block of every HDF5 file (version 0 of the superblock).
    size = struct.pack("<Q", len(content))
    assert content[40:48] == size
    path.write_bytes(content[:40] + struct.pack("<Q", 2**60) + content[48:])
    with pytest.raises(FormatError, match=f"{2**60} bytes, as its first bytes say") as error:
        read_units(path)
    assert not isinstance(error.value, TruncatedError)
