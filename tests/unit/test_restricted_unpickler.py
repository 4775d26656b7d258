import datetime
import os
import pickle
import struct
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, UnsafeContentError
from imaging_pipeline.readers.npy.file import load_npy
from imaging_pipeline.readers.pickles.reading import loads

SAMPLES = Path(__file__).parents[2] / "../shared/samples"


class Attack:
    def __reduce__(self):
        return os.system, ("echo owned",)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_arrays_scalars_and_plain_values_come_back_equal(protocol):
    value = {
        "image": np.arange(6, dtype=np.float32).reshape(2, 3),
        "rate": np.float64(7.25),
        "flags": np.array([True, False]),
        "names": ["a", ("b", 1), {2}, b"\x00\xff", None, 1 + 2j],
        "when": datetime.datetime(2024, 5, 1, 12, tzinfo=datetime.UTC),
        "objects": np.array([{"npix": np.int64(3)}, None], dtype=object),
    }

    read = loads(pickle.dumps(value, protocol=protocol))

    np.testing.assert_array_equal(read.pop("image"), value.pop("image"))
    np.testing.assert_array_equal(read.pop("flags"), value.pop("flags"))
    assert read.pop("objects").tolist() == value.pop("objects").tolist()
    assert read == value


def test_paths_of_either_system_become_text():
    value = [PurePosixPath("/data/a.tif"), PureWindowsPath("F:/data/a.tif")]

    assert loads(pickle.dumps(value)) == ["/data/a.tif", "F:\\data\\a.tif"]


def test_a_pickle_that_runs_a_command_is_refused_with_its_name():
    with pytest.raises(UnsafeContentError, match="posix.system|nt.system"):
        loads(pickle.dumps({"ops": Attack()}))


@pytest.mark.parametrize(
    "name",
    ["builtins eval", "builtins getattr", "numpy load", "numpy.core.multiarray fromfile", "__builtin__ exec"],
)
def test_a_function_by_name_is_refused(name):
    module, function = name.split()
    content = f"c{module}\n{function}\n.".encode()

    with pytest.raises(UnsafeContentError, match=function):
        loads(content)


def test_an_object_array_with_an_attack_is_refused_with_its_file(tmp_path):
    path = tmp_path / "stat.npy"
    np.save(path, np.array([Attack()], dtype=object))

    with pytest.raises(UnsafeContentError, match=r"stat\.npy"):
        load_npy(path)


def test_a_dictionary_in_an_npy_file_is_given_as_the_dictionary(tmp_path):
    path = tmp_path / "ops.npy"
    np.save(path, {"fs": 7.25})

    assert load_npy(path) == {"fs": 7.25}


def test_an_ordinary_array_keeps_its_dtype(tmp_path):
    path = tmp_path / "F.npy"
    np.save(path, np.ones((2, 3), np.float32))

    assert load_npy(path).dtype == np.float32


@pytest.mark.parametrize("kept", [3, 60, 140])
def test_a_file_cut_off_is_refused_with_its_name(tmp_path, kept):
    path = tmp_path / "ops.npy"
    np.save(path, {"fs": 7.25, "names": ["a"] * 20})
    path.write_bytes(path.read_bytes()[:kept])

    with pytest.raises(FormatError, match=r"ops\.npy"):
        load_npy(path)


DAMAGED_HEADERS = {
    "no end of a text": b"{" + b"'x" * 2500,
    "no end of a bracket": b"{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4",
    "no text": b"\x00\xff" * 30,
    "no type": b"{'descr': '<?4', 'fortran_order': False, 'shape': (3, 4)}",
    "fewer than none": b"{'descr': '<f4', 'fortran_order': False, 'shape': (-3, 4)}",
    "more than can be": b"{'descr': '<f4', 'fortran_order': False, 'shape': (%d,)}" % 10**30,
}


@pytest.mark.parametrize("header", DAMAGED_HEADERS.values(), ids=DAMAGED_HEADERS)
def test_a_damaged_header_is_refused_with_its_file(tmp_path, header):
    path = tmp_path / "F.npy"
    path.write_bytes(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(48))

    with pytest.raises(FormatError, match=r"F\.npy"):
        load_npy(path)


def test_a_pickle_that_misuses_an_allowed_type_is_damaged_not_a_crash():
    with pytest.raises(FormatError):
        loads(b"cbuiltins\nint\n(S'x'\ntR.")


def test_bytes_of_no_pickle_are_refused():
    with pytest.raises(FormatError):
        loads(struct.pack("<Q", 7))


def test_the_options_of_a_real_lab_are_read():
    path = SAMPLES / "suite2p_options/GCaMP6S_P2_C1_7.25Hz_MEC.npy"
    if not path.exists():
        pytest.skip("sample files are not here")

    options = load_npy(path)

    assert (options["nplanes"], options["fs"], options["tau"], options["diameter"]) == (2, 7.25, 1.5, 10)


def test_a_real_deeplabcut_pickle_with_yaml_numbers_is_read():
    name = "deeplabcut/train1_trimmedDLC_resnet50_Top_trackingAug3shuffle1_100_meta.pickle"
    path = SAMPLES / name
    if not path.exists():
        pytest.skip("sample files are not here")

    data = loads(path.read_bytes())["data"]

    assert (data["nframes"], data["fps"], data["training set fraction"]) == (3600, 60.0, 0.95)


def test_a_path_that_windows_wrote_becomes_text_on_every_system():
    pickled = pickle.dumps(PureWindowsPath("F:/data/a.tif"), protocol=0).replace(b"PureWindows", b"Windows")

    assert b"WindowsPath" in pickled
    assert loads(pickled) == "F:\\data\\a.tif"
