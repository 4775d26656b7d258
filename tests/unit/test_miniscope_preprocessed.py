"""Which files mean what in a folder of type ``2Pminiscope_A preprocessed``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.errors import FormatError, NamingError, TruncatedError
from imaging_pipeline.experiments.recognised import Ignored, StackFile, StackFiles, Unknown, Used
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.ingest.listing import scan
from imaging_pipeline.ingest.plan import make_plan
from imaging_pipeline.ingest.records import Request
from imaging_pipeline.readers.tiff.stack import TifStack
from tests.makers.folders import START, aged, write_suite2p
from tests.makers.preprocessed import write_corrected, write_preprocessed
from tests.makers.recordings import HEIGHT, OPEN_FIELD, RATE_HZ, WIDTH, write_recording
from tests.makers.scanimage import truncate, write_z_stack
from tests.makers.suite2p_output import Suite2pSpec

FOLDER = Path("day1")
PREPROCESSED = experiment_type("2Pminiscope_A preprocessed")


def verdicts(*names: str) -> dict[str, Used | Ignored | Unknown]:
    return {file.path: file.verdict for file in PREPROCESSED.recognise(FOLDER, names)}


def reason(verdict: Used | Ignored | Unknown) -> str:
    assert isinstance(verdict, Unknown)
    return verdict.reason


def stack_files(raw: Sequence[Path], corrected: Sequence[Path]) -> StackFiles:
    """Return the files of a recording, whose names say the acquisition."""
    return StackFiles(
        "tif_preprocessed",
        OPEN_FIELD.name,
        tuple(StackFile(path, int(path.stem.split("_")[-2])) for path in corrected),
        tuple(StackFile(path, int(path.stem.split("_")[-2])) for path in raw),
    )


def test_corrected_tifs_and_tracking_stand_beside_all_that_a_miniscope_has() -> None:
    found = verdicts(
        "m_00001_00001.tif", "m_00001_preproc.tif", "m_00001_preproc.csv", "m_0001.h5", "m_0001.csv"
    )

    assert found["m_00001_00001.tif"] == Used("tif", "tif", "m", 1, 1)
    assert found["m_00001_preproc.tif"] == Used("tif_preprocessed", "tif", "m", 1)
    assert found["m_00001_preproc.csv"] == Used("tracking_preprocessed", "csv", "m", 1)
    assert found["m_0001.h5"] == Used("wavesurfer", "h5", "m", 1)
    assert found["m_0001.csv"] == Used("tracking_openfield", "csv", "m", 1)


def test_tracking_without_the_raw_tif_of_its_acquisition_is_unknown_with_the_reason() -> None:
    found = verdicts("m_00001.tif", "m_00001_preproc.tif", "m_00002_preproc.csv")

    assert "no tif of acquisition 2 of 'm'" in reason(found["m_00002_preproc.csv"])


def test_what_lies_in_preprocessed_is_of_the_only_recording() -> None:
    found = verdicts("m_00001.tif", "m_00001_preproc.tif", "preprocessed/a/shifts.npz")

    assert found["preprocessed/a/shifts.npz"] == Used("intermediate", "mixed", "m", 0)


def test_of_several_recordings_the_name_says_whose_an_intermediate_file_is() -> None:
    raw = ("m_00001.tif", "m_2_00001.tif")
    files = ("preprocessed/m_shifts.npz", "preprocessed/m_2_shifts.npz", "preprocessed/shifts.npz")

    found = verdicts(*raw, *files)

    assert found[files[0]] == Used("intermediate", "mixed", "m", 0)
    assert found[files[1]] == Used("intermediate", "mixed", "m_2", 0)
    assert "several" in reason(found[files[2]])


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ("m_00001_preproc.tif",),
            ("raw tifs of acquisition 1 of 'm'", "m_00001_preproc.tif", "Copy the raw"),
        ),
        (
            ("m_00001.tif", "m_00001_preproc.tif", "m_00001_preproc.tiff"),
            ("cannot both be acquisition 1", "m_00001_preproc.tif, m_00001_preproc.tiff"),
        ),
        (("m_00001.tif", "m_00003.tif", "m_00001_preproc.tif", "m_00003_preproc.tif"), ("without 2",)),
    ],
)
def test_corrected_tifs_that_do_not_fit_the_raw_ones_are_refused_by_name(
    names: tuple[str, ...], told: tuple[str, ...]
) -> None:
    with pytest.raises(NamingError) as raised:
        PREPROCESSED.check_numbering(FOLDER, names)

    for words in told:
        assert words in str(raised.value)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (
            ("m_00001.tif", "m_00001_preproc.tif", "m_00002.tif"),
            ("motion-corrected tif of acquisition 2", "m_00002.tif", "m_00002_preproc.tif"),
        ),
        (("m_00001.tif",), ("motion-corrected tif of acquisition 1", "register the folder as 2Pminiscope_A")),
    ],
)
def test_raw_tifs_without_a_corrected_one_are_refused_by_name(
    names: tuple[str, ...], told: tuple[str, ...]
) -> None:
    with pytest.raises(NamingError) as raised:
        PREPROCESSED.check_complete(FOLDER, names)

    for words in told:
        assert words in str(raised.value)


def test_a_z_stack_needs_no_corrected_tif(tmp_path: Path) -> None:
    write_recording(tmp_path, OPEN_FIELD)
    write_preprocessed(tmp_path, OPEN_FIELD)
    aged(write_z_stack(tmp_path / "90218-stack_00001.tif", start=START + timedelta(hours=1)))
    request = Request("moser", "day1", PREPROCESSED.name, True, "90218", 0)

    plan = make_plan(request, scan(tmp_path), {}, {})

    (metasession,) = plan.metasessions
    assert [session.timeseries_name for session in metasession.sessions] == [OPEN_FIELD.name]


def test_raw_and_corrected_tifs_that_are_both_there_are_taken() -> None:
    names = ("m_00001_00001.tif", "m_00001_00002.tif", "m_00001_preproc.tif", "m_00001_preproc.csv")

    PREPROCESSED.check_numbering(FOLDER, names)
    PREPROCESSED.check_complete(FOLDER, names)


def test_a_corrected_tif_has_its_own_dimensions_and_the_raw_header(tmp_path: Path) -> None:
    raw, corrected = write_recording(tmp_path, OPEN_FIELD), write_preprocessed(tmp_path, OPEN_FIELD)

    tifs = PREPROCESSED.read_tifs(stack_files(raw, corrected))

    assert [tif.path for tif in tifs] == list(corrected)
    assert [tif.num_frames for tif in tifs] == [14, 7]
    assert {(tif.height, tif.width, tif.header.volume_rate_hz) for tif in tifs} == {(HEIGHT, WIDTH, RATE_HZ)}
    assert tifs[0].header.start == OPEN_FIELD.settings.start


def test_the_stack_of_corrected_tifs_says_nothing_of_its_frames(tmp_path: Path) -> None:
    raw, corrected = write_recording(tmp_path, OPEN_FIELD), write_preprocessed(tmp_path, OPEN_FIELD)

    stack = PREPROCESSED.read_stack(stack_files(raw, corrected))

    assert type(stack) is TifStack
    assert (stack.num_frames, stack.mean_image.shape) == (21, (HEIGHT, WIDTH))


def test_a_corrected_tif_of_another_length_is_refused_with_both_numbers(tmp_path: Path) -> None:
    raw, (first, _) = write_recording(tmp_path, OPEN_FIELD), write_preprocessed(tmp_path, OPEN_FIELD)
    short = write_corrected(tmp_path, OPEN_FIELD.name, 2, np.ones((6, HEIGHT, WIDTH), np.int16))

    with pytest.raises(FormatError) as raised:
        PREPROCESSED.read_tifs(stack_files(raw, (first, short)))

    for told in (str(short), "Found: 6 pages", f"7 pages, as in {raw[2].name}", "anew"):
        assert told in str(raised.value)


def test_a_corrected_tif_that_is_truncated_is_refused_with_its_name(tmp_path: Path) -> None:
    write_recording(tmp_path, OPEN_FIELD)
    first = truncate(write_preprocessed(tmp_path, OPEN_FIELD)[0], 300)

    with pytest.raises(TruncatedError, match=first.name):
        PREPROCESSED.examine(first, Used("tif_preprocessed", "tif", OPEN_FIELD.name, 1))


def test_an_output_made_by_hand_without_registration_is_of_a_set_that_asks_for_it(tmp_path: Path) -> None:
    write_recording(tmp_path, OPEN_FIELD)
    corrected = write_preprocessed(tmp_path, OPEN_FIELD)
    spec = Suite2pSpec(
        file_list=[path.name for path in corrected],
        frames_per_file=[14, 7],
        registered=False,
        settings={"run": {"do_registration": 0}},
    )
    write_suite2p(tmp_path / "suite2p", spec)
    request = Request("moser", "day1", PREPROCESSED.name, True, "90218", 0, "fast")

    plan = make_plan(request, scan(tmp_path), {}, {"fast": {"tau": 1.0, "run": {"do_registration": 1}}})

    (output,) = plan.outputs
    assert (output.verdict, output.reason) == ("finished", "options of 'fast' compared: tau_s")


@pytest.mark.parametrize("is_corrected", [False, True])
@pytest.mark.parametrize("faster", OPEN_FIELD.tif_names)
def test_raw_tifs_of_different_rates_are_no_session_which_has_one(
    tmp_path: Path, is_corrected: bool, faster: str
) -> None:
    raw = write_recording(tmp_path, OPEN_FIELD)
    corrected = write_preprocessed(tmp_path, OPEN_FIELD)
    header = (tmp_path / faster).read_bytes()
    (tmp_path / faster).write_bytes(re.sub(rb"(scanFrameRate = )\d", rb"\g<1>9", header))
    files = stack_files(raw, corrected)
    if not is_corrected:
        files = replace(files, datasettype="tif", tifs=files.primary)

    with pytest.raises(FormatError, match=rf"at one rate.* Hz\..* Hz, as in {OPEN_FIELD.tif_names[0]}"):
        PREPROCESSED.read_stack(files)
