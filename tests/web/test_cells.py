"""The viewer, as its scripts ask the site."""

from __future__ import annotations

import csv
import gzip
import io
from typing import Any

import numpy as np
import pytest

from imaging_pipeline.schemas import imaging
from tests.makers.lab import Lab
from tests.makers.recordings import OPEN_FIELD, PAUSE_S, RATE_HZ, populate
from tests.makers.site import Visitor
from tests.makers.viewed_session import CELL_IDS, viewed_session


@pytest.fixture
def key(lab: Lab, site) -> dict[str, Any]:
    return viewed_session(lab)


@pytest.fixture
def address(key: dict[str, Any]) -> str:
    return f"/cells/{key['session_name']}/{key['dataset_name']}"


def test_a_session_without_cells_is_told_with_what_to_do(anna: Visitor) -> None:
    page = anna.get("/cells/0123456789abcdef/")
    assert page.status_code == 404
    assert "This session has no cells yet" in page.text


def test_the_viewer_is_headed_by_what_was_recorded_and_when(anna: Visitor, key: dict[str, Any]) -> None:
    session = (imaging.Session & key).fetch1()
    page = anna.get(f"/cells/{key['session_name']}/").text
    assert (
        f"<h1>Cells of {session['timeseries_name']}, {session['session_timestamp']:%Y-%m-%d %H:%M}</h1>"
        in page
    )
    assert f'href="/sessions/{key["session_name"]}"' in page


def test_the_regions_paint_the_pixels_of_the_cells(anna: Visitor, address: str, key: dict[str, Any]) -> None:
    found = anna.get(f"{address}/regions").get_json()
    assert found["cell_ids"] == CELL_IDS
    assert found["num_frames"] == OPEN_FIELD.num_frames
    first, second = map(sum, OPEN_FIELD.frames)
    assert found["stretches"] == {
        "0": {
            "first": [0, first],
            "last": [first - 1, first + second - 1],
            "first_s": [0, PAUSE_S],
            "last_s": [pytest.approx((first - 1) / RATE_HZ), pytest.approx(PAUSE_S + (second - 1) / RATE_HZ)],
        }
    }
    runs = list(zip(*(found["runs"][name] for name in ("region", "y", "first", "end")), strict=True))
    for number, cell_id in enumerate(CELL_IDS):
        row = (imaging.Cell.Rois & key & {"cell_id": cell_id}).fetch1()
        painted = {(x, y) for region, y, first, end in runs if region == number for x in range(first, end)}
        assert painted == set(zip(row["xpix"].tolist(), row["ypix"].tolist(), strict=True))


def test_cells_may_be_coloured_by_what_was_measured(anna: Visitor, address: str, key: dict[str, Any]) -> None:
    measures = anna.get(f"{address}/regions").get_json()["measures"]
    wanted = (imaging.Cell.Rois & key).to_arrays("cell_prob", order_by="cell_id")
    np.testing.assert_allclose(measures["cell_prob"], wanted, rtol=1e-5)
    snr = (imaging.SNR.Cell & key).to_arrays("snr_df_f", order_by="cell_id")
    np.testing.assert_allclose(measures["snr_df_f"], snr.astype(float), rtol=1e-5)


def test_each_image_is_given_as_it_is(anna: Visitor, address: str, key: dict[str, Any]) -> None:
    projection = anna.get(f"{address}/regions").get_json()["projection"]
    assert "mean_image" in projection["images"]
    for name in projection["images"]:
        pixels = np.frombuffer(anna.get(f"{address}/image/{name}").data, "<f4")
        stored = (imaging.Projection.Plane & key).fetch1(name).load()
        np.testing.assert_array_equal(pixels.reshape(projection["height"], projection["width"]), stored)


@pytest.mark.parametrize("quantity", ["fluo", "neuropil", "df_f", "spikes", "filtered_spikes"])
def test_traces_are_those_of_the_cells(
    anna: Visitor, address: str, key: dict[str, Any], quantity: str
) -> None:
    found = anna.get(f"{address}/traces?cells=3,0&quantities={quantity}&first=2&end=12&points=100").get_json()
    assert found["samples"] == list(range(2, 12))
    table = {"spikes": imaging.Cell.Spikes, "filtered_spikes": imaging.FilteredSpikes.Cell}.get(
        quantity, imaging.Cell.Traces
    )
    for cell_id, values in zip((3, 0), found["values"][quantity], strict=True):
        whole = (table & key & {"cell_id": cell_id}).fetch1(quantity)
        shown = [np.nan if value is None else value for value in values]
        np.testing.assert_allclose(shown, whole[2:12], rtol=1e-5)


def test_a_trace_too_long_for_the_picture_keeps_its_peaks(
    anna: Visitor, address: str, key: dict[str, Any]
) -> None:
    found = anna.get(f"{address}/traces?cells=0&quantities=fluo&points=6").get_json()
    assert len(found["samples"]) <= 6
    whole = (imaging.Cell.Traces & key & {"cell_id": 0}).fetch1("fluo")
    shown = found["values"]["fluo"][0]
    assert (max(shown), min(shown)) == (
        pytest.approx(whole.max(), rel=1e-5),
        pytest.approx(whole.min(), rel=1e-5),
    )


def test_what_is_shown_is_saved_with_all_its_samples(
    anna: Visitor, address: str, key: dict[str, Any]
) -> None:
    file = anna.get(f"{address}/traces.csv?cells=2&quantities=df_f,fluo&first=11&end=17")
    assert file.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.reader(io.StringIO(file.text)))
    assert rows[0] == ["frame", "time_s", "df_f_2 (baseline 0: percentile 8 in 60 s)", "fluo_2"]
    whole = (imaging.Cell.Traces & key & {"cell_id": 2}).fetch1("fluo")
    assert [int(row[0]) for row in rows[1:]] == list(range(11, 17))
    # The second acquisition begins with sample 14.
    times_s = [1.1, 1.2, 1.3, PAUSE_S, PAUSE_S + 0.1, PAUSE_S + 0.2]
    np.testing.assert_allclose([float(row[1]) for row in rows[1:]], times_s)
    np.testing.assert_allclose([float(row[3]) for row in rows[1:]], whole[11:17], rtol=1e-5)


def test_no_point_of_a_trace_is_of_both_sides_of_a_gap(
    anna: Visitor, address: str, key: dict[str, Any]
) -> None:
    found = anna.get(f"{address}/traces?cells=0&quantities=fluo&points=6").get_json()
    whole = (imaging.Cell.Traces & key & {"cell_id": 0}).fetch1("fluo")
    after = [
        value
        for sample, value in zip(found["samples"], found["values"]["fluo"][0], strict=True)
        if sample >= 14
    ]
    assert (min(after), max(after)) == pytest.approx((whole[14:].min(), whole[14:].max()), rel=1e-5)


def test_without_times_traces_are_drawn_over_frames_and_not_saved(
    anna: Visitor, address: str, key: dict[str, Any]
) -> None:
    (imaging.Tif & {"session_name": key["session_name"]}).delete(prompt=False)
    assert anna.get(f"{address}/regions").get_json()["stretches"] is None
    assert anna.get(f"{address}/traces?cells=0").status_code == 200
    file = anna.get(f"{address}/traces.csv?cells=0")
    assert file.status_code == 404
    assert "tifs are not imported" in file.text


def test_of_several_parameter_sets_the_newest_is_shown_and_named(
    anna: Visitor, address: str, key: dict[str, Any]
) -> None:
    before = anna.get(f"{address}/regions")
    assert before.get_json()["parameter_sets"]["filtered_spikes"] == "filter 0: above mean + 2 std"
    imaging.SpikeFilterParams.insert1({"spike_filter_id": 7, "spike_std": 0.5})
    imaging.FilteredSpikes.populate(key)
    imaging.BaselineParams.insert1(
        {"baseline_params_id": 3, "baseline_percentile": 50, "baseline_window_s": 0.5}
    )
    after = anna.get(f"{address}/regions", headers={"If-None-Match": before.headers["ETag"]})
    sets = after.get_json()["parameter_sets"]
    assert sets["filtered_spikes"] == "filter 7: above mean + 0.5 std"
    # The cells were imported with the set that was the newest then.
    assert sets["df_f"] == "baseline 0: percentile 8 in 60 s"
    found = anna.get(f"{address}/traces?cells=2&quantities=filtered_spikes&points=100").get_json()
    of_cell = imaging.FilteredSpikes.Cell & key & {"cell_id": 2}
    whole = (of_cell & {"spike_filter_id": 7}).fetch1("filtered_spikes")
    np.testing.assert_allclose(found["values"]["filtered_spikes"][0], whole, rtol=1e-5)
    file = anna.get(f"{address}/traces.csv?cells=2&quantities=filtered_spikes")
    rows = list(csv.reader(io.StringIO(file.text)))
    assert rows[0][2] == "filtered_spikes_2 (filter 7: above mean + 0.5 std)"
    imaging.Cell.delete(prompt=False)
    populate("Cell", "FilteredSpikes")
    sets = anna.get(f"{address}/regions").get_json()["parameter_sets"]
    assert sets["df_f"] == "baseline 3: percentile 50 in 0.5 s"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("traces?cells=1", "There are no such cells"),
        ("traces?cells=", "Too few or too many cells"),
        ("traces?cells=" + ",".join(map(str, range(100))), "There are no such cells"),
        ("traces?cells=x", "numbers with commas between"),
        (
            "traces?cells=0&quantities=secrets",
            "The analysis has no such traces",
        ),
        ("traces?cells=0&first=90&end=80", "first and end"),
        ("traces?cells=0&points=1", "There are no such samples"),
        ("traces?cells=0&points=many", "a whole number"),
        ("traces.csv?cells=0&quantities=", "quantities"),
        ("traces.csv?cells=9", "There are no such cells"),
    ],
)
def test_what_cannot_be_drawn_is_told(anna: Visitor, address: str, asked: str, said: str) -> None:
    answer = anna.get(f"{address}/{asked}")
    assert answer.status_code == 400
    assert said in answer.text


@pytest.mark.parametrize("name", ["secret", "height", "..%2F..%2Fetc"])
def test_no_other_column_or_file_is_served_as_an_image(anna: Visitor, address: str, name: str) -> None:
    assert anna.get(f"{address}/image/{name}").status_code == 404


def test_a_browser_that_has_the_content_is_not_sent_it_again(
    anna: Visitor, address: str, key: dict[str, Any]
) -> None:
    tag = anna.get(f"{address}/regions").headers["ETag"]
    assert anna.get(f"{address}/regions", headers={"If-None-Match": tag}).status_code == 304
    (imaging.SNR & key).delete(prompt=False)
    answer = anna.get(f"{address}/regions", headers={"If-None-Match": tag})
    assert answer.status_code == 200
    assert "snr_df_f" not in answer.get_json()["measures"]


def test_an_output_without_any_cell_can_be_looked_at(lab: Lab, anna: Visitor) -> None:
    key = viewed_session(lab, num_rois=0, is_cell=())
    found = anna.get(f"/cells/{key['session_name']}/{key['dataset_name']}/regions").get_json()
    assert (found["cell_ids"], found["quantities"], found["runs"]["region"]) == ([], [], [])
    assert anna.get(f"/cells/{key['session_name']}/").status_code == 200


def test_numbers_are_sent_compressed_to_browsers_that_take_it(anna: Visitor, address: str) -> None:
    for path in (f"{address}/regions", f"{address}/traces?cells=0"):
        plain, small = anna.get(path), anna.get(path, headers={"Accept-Encoding": "gzip, br"})
        assert "Content-Encoding" not in plain.headers
        assert small.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(small.data) == plain.data
        assert "Accept-Encoding" in small.headers["Vary"]


def test_traces_of_a_second_channel_are_given_beside_those_of_the_first(
    lab: Lab, anna: Visitor, site
) -> None:
    key = viewed_session(lab, num_channels=2)
    address = f"/cells/{key['session_name']}/{key['dataset_name']}"
    known = anna.get(f"{address}/regions").get_json()["quantities"]
    assert {"fluo", "second_fluo", "second_neuropil", "second_df_f"} < set(known)
    found = anna.get(f"{address}/traces?cells=3&quantities=fluo,second_fluo,second_df_f").get_json()["values"]
    traces = imaging.Cell.Traces & key & {"cell_id": 3}
    for channel, quantity in (("primary", "fluo"), ("secondary", "fluo"), ("secondary", "df_f")):
        name = quantity if channel == "primary" else f"second_{quantity}"
        stored = (traces & {"channel": channel}).fetch1(quantity)
        np.testing.assert_allclose(np.array(found[name][0], float), stored, rtol=1e-5)
