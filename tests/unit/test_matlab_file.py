"""MATLAB files of both containers: what is read of them, and what of files that are none."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from scipy.io import savemat
from scipy.sparse import csc_array

from imaging_pipeline.errors import FormatError, TruncatedError
from imaging_pipeline.readers.matlab.file import open_matlab
from tests.makers.matlab_file import write_v7, write_v73

WRITERS = {"v7": write_v7, "v7.3": write_v73}
VALUES = {
    "matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "label": "plane 1, 12 µm",
    "sessions": (np.array([[1.0, 2.0]]), "two"),
    "cells": [
        {"npix": 3.0, "xpix": np.array([[1.0], [2.0], [3.0]])},
        {"npix": 0.0, "xpix": np.zeros((0, 1))},
    ],
    "ops": {"tau": 2.0, "nothing": np.zeros((0, 0))},
}

each_container = pytest.mark.parametrize("container", ["v7", "v7.3"])


def write(path: Path, container: str, variables: dict[str, Any] = VALUES) -> Path:
    return WRITERS[container](path, variables)


@each_container
def test_values_are_the_same_in_both_containers(tmp_path: Path, container: str) -> None:
    with open_matlab(write(tmp_path / "a.mat", container), list(VALUES)) as content:
        assert set(content.fields()) == set(VALUES)
        np.testing.assert_array_equal(content.field("matrix").numbers(), VALUES["matrix"])
        np.testing.assert_array_equal(content.field("matrix").columns([0, 2]), VALUES["matrix"][:, [0, 2]])
        assert content.field("label").text() == "plane 1, 12 µm"
        numbers, text = content.field("sessions").cells()
        assert (numbers.vector().tolist(), text.text(), text.name) == ([1.0, 2.0], "two", "sessions{2}")
        cells = content.field("cells")
        assert cells.num_elements == 2
        assert [value.number() for value in cells.field_values("npix")] == [3.0, 0.0]
        assert [value.shape for value in cells.field_values("xpix")] == [(3, 1), (0, 1)]
        assert content.field("ops").field("tau").number() == 2.0
        assert content.field("ops").optional("nothing") is None
        assert content.field("ops").optional("elsewhere") is None


@each_container
def test_only_the_variables_that_may_be_asked_for_are_read_of_the_older_container(
    tmp_path: Path, container: str
) -> None:
    with open_matlab(write(tmp_path / "a.mat", container), ["label"]) as content:
        assert content.field("label").text() == "plane 1, 12 µm"
        assert ("matrix" in content.fields()) == (container == "v7.3")


@each_container
def test_several_numbers_are_no_single_one(tmp_path: Path, container: str) -> None:
    with (
        open_matlab(write(tmp_path / "a.mat", container), list(VALUES)) as content,
        pytest.raises(
            FormatError, match=r"matrix is not.*Found: numbers of shape \(2, 3\)\. Allowed: a single"
        ),
    ):
        content.field("matrix").number()


@each_container
def test_a_file_that_is_cut_off_is_told_as_such(tmp_path: Path, container: str) -> None:
    path = write(tmp_path / "a.mat", container, {"matrix": np.random.default_rng(0).normal(size=(50, 60))})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    with pytest.raises(TruncatedError, match=path.name), open_matlab(path, ["matrix"]) as content:
        content.field("matrix").numbers()


@pytest.mark.parametrize(
    ("first_bytes", "error"),
    [(b"", TruncatedError), (bytes(4096), TruncatedError), (b"a,b\n1,2", FormatError)],
)
def test_what_is_no_matlab_file_is_refused_with_its_name(
    tmp_path: Path, first_bytes: bytes, error: type[FormatError]
) -> None:
    path = tmp_path / "a.mat"
    path.write_bytes(first_bytes)
    with pytest.raises(error, match=r"a\.mat"), open_matlab(path, ["matrix"]):
        pass


def test_objects_are_told_and_not_touched(tmp_path: Path) -> None:
    path = write_v73(tmp_path / "objects.mat", {"text": "table"})
    with h5py.File(path, "r+") as file:
        file["text"].attrs["MATLAB_class"] = np.bytes_("table")
        file["text"].attrs["MATLAB_object_decode"] = np.int32(3)
    with (
        open_matlab(path, ["text"]) as content,
        pytest.raises(FormatError, match=r"text is not what.*Found: a value of class table\. Allowed: text"),
    ):
        content.field("text").text()


def test_what_is_no_array_in_the_older_container_is_told(tmp_path: Path) -> None:
    path = tmp_path / "sparse.mat"
    savemat(path, {"matrix": csc_array(np.eye(3))})
    with (
        open_matlab(path, ["matrix"]) as content,
        pytest.raises(
            FormatError, match=r"matrix is not what.*Found: a csc_\w+ of MATLAB\. Allowed: numbers"
        ),
    ):
        content.field("matrix").numbers()
