"""Which files mean what in a folder of type ``plain tifs``, and what its ``session.json`` may say."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.errors import FormatError, NamingError, NothingFoundError, TruncatedError
from imaging_pipeline.experiments.recognised import StackFile, StackFiles, Unknown, Used
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.readers.session_json import SessionJson, read_session_json
from tests.makers.folders import write_file
from tests.makers.plain_tifs import HEIGHT, SAID, WIDTH, write_plain_tifs, write_session_json

FOLDER = Path("day1")
PLAIN = experiment_type("plain tifs")
DESCRIBED = "session.json/90218-openfield"


def verdicts(*names: str) -> dict[str, Any]:
    return {file.path: file.verdict for file in PLAIN.recognise(FOLDER, names)}


def test_all_tifs_are_of_the_timeseries_of_session_json_and_numbers_count_as_such() -> None:
    found = verdicts("movie_10.tif", "movie_2.tif", "movie_1.TIFF", DESCRIBED)

    assert found[DESCRIBED] == Used("session_json", "json", "90218-openfield", 0)
    assert [found[f"movie_{number}"].file_number for number in ("1.TIFF", "2.tif", "10.tif")] == [1, 2, 3]
    assert found["movie_2.tif"] == Used("tif", "tif", "90218-openfield", 1, 2)


@pytest.mark.parametrize("name", ["notes.txt", "sub/movie.tif", "old-session.json"])
def test_other_files_are_unknown_with_the_reason(name: str) -> None:
    found = verdicts(name, DESCRIBED)[name]

    assert isinstance(found, Unknown)
    assert "neither a tif in the folder itself nor its session.json" in found.reason


def test_tifs_wait_for_their_session_json() -> None:
    assert verdicts("movie.tif")["movie.tif"] == Unknown(
        "the folder has no session.json", lacks_recording=True
    )


def test_a_session_json_without_tifs_is_refused_with_its_name() -> None:
    with pytest.raises(NamingError, match=r"session\.json.*Copy the tifs into the folder"):
        PLAIN.check_complete(FOLDER, [DESCRIBED])


def test_a_json_file_of_another_name_describes_nothing(tmp_path: Path) -> None:
    assert PLAIN.parts(write_file(tmp_path / "old-session.json", b"{}")) == {}


def test_the_session_starts_when_session_json_says(tmp_path: Path) -> None:
    parts = PLAIN.parts(write_session_json(tmp_path))

    assert {name: part.examined.start for name, part in parts.items()} == {
        "90218-openfield": datetime(2024, 5, 17, 14, 3, 9, 250_000)
    }


def test_session_json_written_anew_with_the_same_values_is_the_same(tmp_path: Path) -> None:
    (before,) = PLAIN.parts(write_session_json(tmp_path)).values()
    write_file(
        tmp_path / "session.json", (tmp_path / "session.json").read_bytes().replace(b"\n", b"\r\n\r\n")
    )

    assert list(PLAIN.parts(tmp_path / "session.json").values()) == [before]
    (other,) = PLAIN.parts(write_session_json(tmp_path, frame_rate_hz=15)).values()
    assert other.fingerprint != before.fingerprint


def test_tifs_have_their_own_dimensions_and_the_rates_of_session_json(tmp_path: Path) -> None:
    write_plain_tifs(tmp_path, (8, 5), num_planes=2)
    tifs = tuple(StackFile(tmp_path / f"movie_{number}.tif", 1) for number in (1, 2))
    described = StackFile(tmp_path / "session.json", 0, "90218-openfield")

    stack = PLAIN.read_stack(StackFiles("tif", "90218-openfield", tifs, (described,)))

    assert [tif.num_frames for tif in stack.tifs] == [8, 5]
    first = stack.tifs[0]
    assert (first.height, first.width, first.dtype) == (HEIGHT, WIDTH, "int16")
    header = first.header
    assert (header.frame_rate_hz, header.volume_rate_hz, header.pages_per_volume) == (30.0, 15.0, 2)


def test_what_session_json_says_is_read(tmp_path: Path) -> None:
    assert read_session_json(write_session_json(tmp_path, frame_rate_hz=7)) == SessionJson(
        "90218-openfield", datetime(2024, 5, 17, 14, 3, 9, 250_000), 7.0, 1, 1
    )


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"frame_rate": 30, "frame_rate_hz": None}, "'frame_rate'; did you mean 'frame_rate_hz'?"),
        ({"note": "tired laser"}, "Found: 'note'. Allowed: timeseries_name, start"),
        ({"start": None, "num_planes": None}, "Found: no start, num_planes"),
        ({"start": "yesterday"}, "start = 'yesterday'. Allowed: the lab's wall time"),
        ({"start": "2024-05-17"}, "start = '2024-05-17'"),
        ({"start": "2024-05-17T14:03:09+02:00"}, "without a zone"),
        ({"start": 5}, "start = 5"),
        ({"frame_rate_hz": 0}, "frame_rate_hz = 0. Allowed: a number above 0"),
        ({"frame_rate_hz": "30"}, "frame_rate_hz = '30'"),
        ({"frame_rate_hz": True}, "frame_rate_hz = True"),
        ({"frame_rate_hz": 10**400}, "Allowed: a number above 0"),
        ({"frame_rate_hz": float("inf")}, "frame_rate_hz = inf"),
        ({"num_planes": 1.5}, "num_planes = 1.5. Allowed: a whole number from 1"),
        ({"num_channels": True}, "num_channels = True"),
        ({"num_channels": 0}, "num_channels = 0"),
        ({"num_planes": 2**31}, "num_planes = 2147483648. Allowed: a whole number from 1 to 2147483647"),
        ({"timeseries_name": "a\0b"}, "text of up to 64 characters"),
        ({"timeseries_name": "a/b"}, "timeseries_name = 'a/b'. Allowed: text of up to 64 characters"),
        ({"timeseries_name": ""}, "timeseries_name = ''"),
        ({"timeseries_name": "n" * 65}, "up to 64 characters"),
    ],
)
def test_what_session_json_may_not_say_is_refused_with_file_value_and_what_is_allowed(
    tmp_path: Path, said: dict[str, Any], told: str
) -> None:
    path = write_session_json(tmp_path, **said)

    with pytest.raises(FormatError) as raised:
        read_session_json(path)

    for words in (str(path), told, "Correct the file, and register the folder again"):
        assert words in str(raised.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b'{"start": ', "no JSON"),
        (b"[1]", "no JSON object. .*Found: list"),
        (b"[" * 100_000, "no JSON.*nested deeper than 60 levels"),
        (b'{"timeseries_name": ' + b"[" * 61 + b"]" * 61 + b"}", "no JSON.*nested deeper than 60 levels"),
        (b"\xff\xfe", "no text in UTF-8"),
    ],
)
def test_a_file_that_holds_no_object_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    with pytest.raises(FormatError, match=told):
        read_session_json(write_file(tmp_path / "session.json", content))


def test_a_file_that_is_empty_or_gone_is_told_as_such(tmp_path: Path) -> None:
    with pytest.raises(TruncatedError, match=r"session\.json"):
        read_session_json(write_file(tmp_path / "session.json", bytes(20)))
    with pytest.raises(NothingFoundError, match=r"session\.json"):
        read_session_json(tmp_path / "day2" / "session.json")


def test_every_key_that_is_needed_is_in_the_example() -> None:
    assert set(SAID) == set(SessionJson.__dataclass_fields__)
