"""Headers of real files, of other versions, and wrong ones."""

from datetime import datetime
from pathlib import Path

import pytest

from imaging_pipeline.errors import FormatError
from imaging_pipeline.readers.scanimage.header import parse_header
from imaging_pipeline.readers.scanimage.text import parse_frame_lines
from imaging_pipeline.readers.scanimage.tif import read_header, read_tif
from tests.makers import scanimage

HERE = Path("a.tif")
EPOCH = "frameNumbers = 1\nframeTimestamps_sec = 0.0\nepoch = [2018 11  5  9 30  1.500]\n"
REAL_GROUPS = ("neuron2", "neuron2_22", "neuron2_2", "neuron2_slm4", "spont", "stackPost")


def parsed(**changes):
    return parse_header(scanimage.header_with(**changes), "", EPOCH, HERE)


def test_a_real_planar_header_is_read(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", header=scanimage.real_header("neuron2"))

    header = read_header(path)

    assert header.version == "2021.1"
    assert header.frame_rate_hz == header.volume_rate_hz == 19.4098
    assert header.channels_saved == (1,)
    assert header.seconds_per_line == 6.31378e-05
    assert header.zoom == 1.4
    assert (header.pixels_per_line, header.lines_per_frame) == (800, 800)
    assert (header.scanner_type, header.scanner_frequency_hz) == ("RG", 7919.19)
    assert (header.spatial_fill_fraction, header.temporal_fill_fraction) == (0.9, 0.712867)
    assert header.scan_pixel_time_mean_s == 5.625e-08
    assert header.objective_resolution_um_per_deg == 15
    assert header.imaging_system == "ResScan"
    assert header.power == "[8 0]"
    assert header.is_bidirectional
    assert header.text == scanimage.real_header("neuron2")


@pytest.mark.parametrize("group", [group for group in REAL_GROUPS if group != "stackPost"])
def test_stale_slices_do_not_make_a_real_planar_recording_volumetric(group):
    header = parse_header(scanimage.real_header(group), "", scanimage.real_frame_lines(group)[0], HERE)

    assert "hStackManager.numSlices = 31" in header.text
    assert not header.is_volumetric
    assert not header.is_z_stack
    assert (header.num_planes, header.frames_per_slice, header.num_flyback_frames) == (1, 1, 0)
    assert header.fov_width_um == pytest.approx(231.428)
    assert header.pages_per_volume == 1


def test_a_real_stack_is_volumetric():
    header = parse_header(
        scanimage.real_header("stackPost"), "", scanimage.real_frame_lines("stackPost")[0], HERE
    )

    assert header.is_volumetric
    assert (header.num_planes, header.frames_per_slice, header.num_flyback_frames) == (31, 20, 0)
    assert header.pages_per_volume == 620
    assert header.volume_rate_hz < header.frame_rate_hz
    assert header.start == datetime(2022, 6, 10, 14, 2, 54, 440000)
    assert header.plane_z_um == tuple(range(70, 132, 2))
    assert header.is_z_stack


def test_flyback_frames_are_those_that_a_volume_has_beyond_its_slices():
    header = parsed(
        hStackManager__enable="true",
        hStackManager__actualNumSlices="3",
        hStackManager__numFramesPerVolume="6",
        hStackManager__numFramesPerVolumeWithFlyback="8",
        hChannels__channelSave="[1;2]",
        hRoiManager__scanVolumeRate="3.75",
    )

    assert (header.num_planes, header.frames_per_slice, header.num_flyback_frames) == (3, 2, 2)
    assert header.pages_per_volume == 16
    assert header.volume_rate_hz == 3.75


def test_until_2018_the_frames_of_a_volume_include_the_flyback():
    header = parsed(
        VERSION_MAJOR="'2018a'",
        hFastZ__enable="true",
        hFastZ__discardFlybackFrames="true",
        hFastZ__numDiscardFlybackFrames="2",
        hFastZ__numFramesPerVolume="12",
        hStackManager__enable=None,
        hStackManager__actualNumSlices=None,
        hStackManager__numFramesPerVolume=None,
        hStackManager__numFramesPerVolumeWithFlyback=None,
    )

    assert header.version == "2018a.1"
    assert (header.num_planes, header.num_flyback_frames) == (10, 2)


def volumes(**changes):
    header = {
        "hStackManager__enable": "true",
        "hStackManager__actualNumSlices": "3",
        "hStackManager__numFramesPerVolume": "6",
        "hStackManager__numFramesPerVolumeWithFlyback": "8",
    }
    return parsed(**header | changes)


@pytest.mark.parametrize(
    "written", ["[40 -20 0]", "[40 40 -20 -20 0 0]", "[40;40;-20;-20;0;0;10;20]", "[40,-20,0]"]
)
def test_planes_keep_the_depths_and_the_order_in_which_they_were_taken(written):
    assert volumes(hStackManager__zs=written).plane_z_um == (40, -20, 0)


def test_until_2018_the_depths_are_those_that_the_user_chose():
    header = volumes(hStackManager__zs=None, hFastZ__userZs="[0 15 30]")

    assert header.plane_z_um == (0, 15, 30)


@pytest.mark.parametrize("written", [None, "[]", "[0 20]", "[0 NaN 20]"])
def test_depths_that_are_not_of_the_planes_are_left_open(written):
    assert volumes(hStackManager__zs=written).plane_z_um == ()


def test_frames_that_were_averaged_before_they_were_saved_are_one():
    header = volumes(hScan2D__logAverageFactor="2", hRoiManager__scanVolumeRate="3.75")

    assert (header.frames_per_slice, header.num_flyback_frames, header.frames_averaged) == (1, 1, 2)
    assert (header.frame_rate_hz, header.volume_rate_hz) == (15, 3.75)
    assert header.pages_per_volume == 4


def test_a_planar_recording_of_averaged_frames_has_their_rate():
    header = parsed(hScan2D__logAverageFactor="3")

    assert (header.frame_rate_hz, header.volume_rate_hz) == (10, 10)


def test_frames_that_cannot_have_been_averaged_are_refused():
    with pytest.raises(FormatError, match="3 slices, 6 frames a volume, 2 flyback frames, 4 averaged"):
        volumes(hScan2D__logAverageFactor="4")


def one_slice(**changes):
    return parsed(hStackManager__enable="true", hStackManager__actualNumSlices="1", **changes)


@pytest.mark.parametrize("frames_per_slice", ["1", "5", "2003"])
def test_a_single_slice_is_planar_however_many_frames_it_has(frames_per_slice):
    header = one_slice(
        hStackManager__framesPerSlice=frames_per_slice,
        hStackManager__numFramesPerVolume=frames_per_slice,
        hStackManager__numFramesPerVolumeWithFlyback=frames_per_slice,
    )

    assert (header.num_planes, header.frames_per_volume, header.num_flyback_frames) == (1, 1, 0)
    assert header.frame_rate_hz == header.volume_rate_hz == 30


@pytest.mark.parametrize(
    "told",
    [
        {"hStackManager__numFramesPerVolumeWithFlyback": "3"},
        {
            "hFastZ__enable": "true",
            "hFastZ__discardFlybackFrames": "true",
            "hFastZ__numDiscardFlybackFrames": "2",
            "hStackManager__numFramesPerVolumeWithFlyback": None,
        },
        {
            "hFastZ__enable": "true",
            "hFastZ__discardFlybackFrames": "true",
            "hFastZ__numDiscardFlybackFrames": "2",
            "hFastZ__numFramesPerVolume": "3",
            "hStackManager__actualNumSlices": None,
        },
    ],
)
def test_flyback_frames_of_a_single_slice_are_refused(told):
    with pytest.raises(FormatError, match=r"a\.tif.*1 slice, 1 frames a volume and 2 flyback frames"):
        parsed(**{"hStackManager__enable": "true", "hStackManager__actualNumSlices": "1"} | told)


def test_flyback_frames_of_version_4_with_a_single_slice_are_refused(tmp_path):
    header = scanimage.HEADER_4.replace("stackNumSlices = 4", "stackNumSlices = 1")
    path = scanimage.write_classic_tif(tmp_path / "a.tif", scanimage.FRAME_LINES_4, header)

    with pytest.raises(FormatError, match="1 slice, 1 frames a volume and 1 flyback frames"):
        read_header(path)


def test_flyback_frames_are_left_from_an_earlier_stack_where_no_z_scanner_moved():
    header = one_slice(
        hStackManager__stackMode="'slow'",
        hFastZ__discardFlybackFrames="true",
        hFastZ__numDiscardFlybackFrames="2",
        hStackManager__numFramesPerVolumeWithFlyback=None,
    )

    assert (header.num_planes, header.num_flyback_frames, header.is_volumetric) == (1, 0, False)


def test_a_header_of_2018_that_may_mean_slices_or_frames_of_one_is_refused():
    with pytest.raises(FormatError, match="1 slices, 5 frames a slice, 5 frames a volume"):
        parsed(
            hFastZ__enable="true",
            hFastZ__numFramesPerVolume="5",
            hStackManager__numSlices="1",
            hStackManager__framesPerSlice="5",
            hStackManager__actualNumSlices=None,
        )


def test_a_volume_of_unknown_slices_is_refused():
    with pytest.raises(FormatError, match="how many slices.*numSlices = 31"):
        parsed(hFastZ__enable="true", hStackManager__actualNumSlices=None)


def test_a_volume_that_contradicts_itself_is_refused():
    with pytest.raises(FormatError, match="3 slices, 7 frames a volume"):
        parsed(
            hStackManager__enable="true",
            hStackManager__actualNumSlices="3",
            hStackManager__numFramesPerVolume="7",
        )


@pytest.mark.parametrize(
    ("written", "channels"), [("1", (1,)), ("[1;2]", (1, 2)), ("[1 3]", (1, 3)), ("[1,2;4]", (1, 2, 4))]
)
def test_saved_channels_are_read_as_matlab_writes_them(written, channels):
    assert parsed(hChannels__channelSave=written).channels_saved == channels


@pytest.mark.parametrize("written", ["zeros(1,0)", "[]", "NaN", None])
def test_a_header_without_saved_channel_is_refused(written):
    with pytest.raises(FormatError, match="no saved channel"):
        parsed(hChannels__channelSave=written)


@pytest.mark.parametrize("written", [None, "[]", "0", "NaN", "Inf"])
def test_a_header_without_frame_rate_is_refused(written):
    with pytest.raises(FormatError, match="scanFrameRate"):
        parsed(hRoiManager__scanFrameRate=written, hRoiManager__scanFramePeriod=None)


def test_values_that_are_none_in_matlab_are_none():
    header = parsed(objectiveResolution="[]", hRoiManager__scanZoomFactor="NaN")

    assert header.objective_resolution_um_per_deg is None
    assert header.zoom is None


@pytest.mark.parametrize(
    "rois", ["", "{", '{"RoiGroups": {}}', '{"RoiGroups": {"imagingRoiGroup": {"rois": []}}}']
)
def test_several_fields_of_view_without_their_rois_are_refused(rois):
    with pytest.raises(FormatError, match="several fields of view"):
        parse_header(scanimage.header_with(hRoiManager__mroiEnable="1"), rois, EPOCH, HERE)


@pytest.mark.parametrize(
    "epoch", ["[1601 1 1 0 0 25.045]", "[2022 13 1 0 0 0]", "[2022 6 10]", "[]", "[NaN NaN NaN NaN NaN NaN]"]
)
def test_a_start_that_is_no_date_is_refused(epoch):
    lines = f"frameNumbers = 1\nframeTimestamps_sec = 0\nepoch = {epoch}\n"

    with pytest.raises(FormatError, match=r"start time.*a\.tif.*2000"):
        parse_header(scanimage.header_with(), "", lines, HERE)


def test_seconds_that_are_rounded_up_to_sixty_begin_the_next_minute():
    lines = EPOCH.replace("30  1.500", "59 60.000")

    assert parse_header(scanimage.header_with(), "", lines, HERE).start == datetime(2018, 11, 5, 10, 0)


def test_a_file_of_version_5_1_is_read(tmp_path):
    path = scanimage.write_classic_tif(tmp_path / "a.tif", scanimage.FRAME_LINES_51, scanimage.HEADER_51)

    tif = read_tif(path)

    assert (tif.header.version, tif.is_bigtiff, tif.num_pages) == ("5.1", False, 6)
    assert tif.header.frame_rate_hz == 29.9
    assert tif.header.is_bidirectional
    assert tif.header.start == datetime(2015, 6, 3, 17, 2, 50, 833000)


def test_a_file_of_version_5_0_is_read(tmp_path):
    path = scanimage.write_classic_tif(tmp_path / "a.tif", scanimage.FRAME_LINES_50, scanimage.HEADER_50)

    tif = read_tif(path)

    assert (tif.header.version, tif.num_pages, tif.num_frames) == ("5.0", 6, 3)
    assert tif.header.frame_rate_hz == 25
    assert (tif.header.zoom, tif.header.power, tif.header.pixels_per_line) == (3, "63", 512)
    assert tif.header.start == datetime(2015, 6, 3, 17, 2, 50, 833000)


def test_a_file_of_version_4_is_read(tmp_path):
    path = scanimage.write_classic_tif(tmp_path / "a.tif", scanimage.FRAME_LINES_4, scanimage.HEADER_4)

    header = read_header(path)

    assert (header.version, header.is_bidirectional) == ("4.2", True)
    assert (header.num_planes, header.num_flyback_frames, header.pages_per_volume) == (4, 1, 10)
    assert (header.frame_rate_hz, header.volume_rate_hz) == (20, 4)
    assert header.start == datetime(2013, 7, 17, 17, 16, 9, 149000)


def test_a_file_of_version_3_is_read(tmp_path):
    path = scanimage.write_classic_tif(tmp_path / "a.tif", "", scanimage.HEADER_3)

    header = read_header(path)

    assert (header.version, header.frame_rate_hz, header.channels_saved) == ("3.8", 3.90625, (1, 3))
    assert (header.zoom, header.pixels_per_line, header.lines_per_frame) == (2, 256, 256)
    assert (header.num_planes, header.is_bidirectional, header.frame_clock) == (1, True, "none")
    assert header.start == datetime(2017, 10, 9, 16, 57, 7, 967000)


def test_a_stack_of_version_3_is_no_time_series(tmp_path):
    written = scanimage.HEADER_3.replace("numberOfZSlices=1", "numberOfZSlices=5").replace("=1220", "=2")
    header = read_header(scanimage.write_classic_tif(tmp_path / "a.tif", "", written))

    assert (header.num_planes, header.frames_per_slice, header.is_z_stack) == (5, 2, True)


def test_a_tif_of_another_program_is_refused(tmp_path):
    path = scanimage.write_tif_without_header(tmp_path / "saved_again.tif")

    with pytest.raises(FormatError, match=r"no ScanImage header.*saved_again\.tif"):
        read_header(path)


def test_an_unknown_format_version_is_refused(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", format_version=5)

    with pytest.raises(FormatError, match="Found: 5. Allowed: 3 or 4"):
        read_header(path)


def test_format_version_3_is_read(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", format_version=3)

    assert read_tif(path).num_pages == 6


def test_a_header_in_the_code_page_of_the_microscope_is_read(tmp_path):
    path = scanimage.write_tif(tmp_path / "a.tif", header=scanimage.header_with(userInfo="'Mus 3 ?l'"))
    path.write_bytes(path.read_bytes().replace(b"Mus 3 ?l", "Mus 3 øl".encode("latin-1")))

    assert "Mus 3 øl" in read_header(path).text


def test_real_frame_lines_are_read():
    lines = parse_frame_lines(scanimage.real_frame_lines("neuron2")[0].encode(), HERE)

    assert (lines.frame_number, lines.acquisition_number, lines.number_in_acquisition) == (1386, 8, 1)
    assert lines.timestamp_s == 71.36894256
    assert lines.aux_triggers_s == ((), (), (), ())


@pytest.mark.parametrize(
    "written",
    ["[0.5 1.25]", "[0.5,1.25]", "[0.5, 1.25]", "[0.5 1.25 ]", "[-3.0 0.5 1.25]", "[0.5,-1.0,1.25]"],
)
def test_auxiliary_triggers_are_read_however_they_are_separated(written):
    lines = f"frameNumbers = 1\nframeTimestamps_sec = 0\nauxTrigger1 = {written}\n"

    assert parse_frame_lines(lines.encode(), HERE).aux_triggers_s == ((), (0.5, 1.25), (), ())


def test_frame_lines_that_are_not_numbers_are_refused():
    with pytest.raises(FormatError, match=r"not numbers.*a\.tif"):
        parse_frame_lines(b"frameNumbers = ?\nframeTimestamps_sec = 0\n", HERE)
