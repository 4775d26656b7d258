"""Names of files as the microscope writes them, of folders with anything in them, and our own hashes."""

from __future__ import annotations

import hashlib
import json
import unicodedata
from pathlib import Path

from hypothesis import example, given
from hypothesis import strategies as st

from imaging_pipeline.errors import NamingError
from imaging_pipeline.experiments.recognised import Unknown, Used
from imaging_pipeline.experiments.registry import experiment_type
from imaging_pipeline.experiments.scanimage_names import TifName, split_tif_name
from imaging_pipeline.names import hash16

FOLDER = Path("day1")
MINISCOPE = experiment_type("2Pminiscope_A")

# What people call a timeseries: pieces of letters and digits, which may be long numbers themselves.
pieces = st.text("abXYZæ東0123456789-.+ ", min_size=1, max_size=7)
timeseries = st.lists(pieces, min_size=1, max_size=4).map("_".join)
acquisitions = st.integers(1, 9999)
# ScanImage pads to five digits, and writes more where the number has more.
file_numbers = st.none() | st.integers(1, 9999) | st.integers(10_000, 1_000_000)
suffixes = st.sampled_from([".tif", ".TIF", ".tiff", ".Tif"])
letters = st.characters(exclude_characters="/\0", exclude_categories=["Cs"])
# The last two are digits too, but not what the microscope writes.
fragments = ("m", "_", "00001", "0001", "12345", "_wheel", ".tif", ".csv", ".h5", ".", "0٠٠٠١", "٠٠٠١")
file_names = st.text(letters, min_size=1, max_size=30) | st.lists(
    st.sampled_from(fragments), min_size=1, max_size=9
).map("".join)


def written(name: str, acquisition: int, file_number: int | None, suffix: str = ".tif") -> str:
    """Return the file name that ScanImage writes."""
    numbers = [acquisition] if file_number is None else [acquisition, file_number]
    return "_".join([name, *(f"{number:05d}" for number in numbers)]) + suffix


@given(name=timeseries, acquisition=acquisitions, file_number=file_numbers, suffix=suffixes)
@example(name="90218", acquisition=1, file_number=10_000, suffix=".tif")
@example(name="open_12345", acquisition=1, file_number=2, suffix=".tif")
def test_what_the_microscope_writes_is_read_back_or_refused(
    name: str, acquisition: int, file_number: int | None, suffix: str
) -> None:
    try:
        read = split_tif_name(FOLDER, written(name, acquisition, file_number, suffix))
    except NamingError:
        # Only a name that ends in what may be a counter leaves a doubt.
        assert name.rpartition("_")[2].isdigit()
        return
    assert read == TifName(name, acquisition, file_number)


@given(name=file_names)
def test_a_name_is_taken_apart_as_it_would_be_written_or_not_at_all(name: str) -> None:
    try:
        read = split_tif_name(FOLDER, name)
    except NamingError as error:
        told = str(error)
    else:
        told = ""
        if read is not None:
            assert written(read.timeseries_name, read.acquisition, read.file_number, "") == Path(name).stem
    assert not told or name in told


@given(names=st.lists(file_names, max_size=8, unique=True))
def test_every_file_of_any_folder_gets_one_verdict(names: list[str]) -> None:
    try:
        recognised = MINISCOPE.recognise(FOLDER, names)
        MINISCOPE.check_numbering(FOLDER, names)
    except NamingError:
        return
    assert sorted(file.path for file in recognised) == sorted(names)
    for file in recognised:
        assert isinstance(file.verdict, Used) or (isinstance(file.verdict, Unknown) and file.verdict.reason)


@given(
    name=timeseries.filter(lambda name: not name.rpartition("_")[2].isdigit()),
    acquisition=acquisitions,
    counter=st.sampled_from(["{:04d}", "{:05d}"]),
    end=st.sampled_from([".h5", ".csv", "_wheel.csv", "_WHEEL.CSV", ".avi", ".MP4"]),
)
def test_a_companion_belongs_to_the_acquisition_that_its_name_says(
    name: str, acquisition: int, counter: str, end: str
) -> None:
    companion = f"{name}_{counter.format(acquisition)}{end}"
    others = [written(name, number, None) for number in {acquisition, 1, 9999}]
    verdicts = {file.path: file.verdict for file in MINISCOPE.recognise(FOLDER, [*others, companion])}
    used = verdicts[companion]
    assert isinstance(used, Used)
    assert (used.timeseries_name, used.acquisition) == (name, acquisition)


@given(one=st.text(), other=st.text(), rest=st.text())
@example(one='a", "b', other="", rest="")
@example(one="a", other="b,c", rest="d")
def test_texts_that_join_to_the_same_have_different_hashes(one: str, other: str, rest: str) -> None:
    whole = hash16(one + other, rest)
    same = unicodedata.normalize("NFC", other) == ""
    assert (hash16(one, other + rest) == whole) == same
    assert hash16(one, other, rest) != whole


@given(text=st.text("aÅe\u0301Ω\u212b東\ud83d\udc2d", max_size=12), number=st.integers(), when=st.datetimes())
def test_a_hash_is_the_same_on_every_client(text: str, number: int, when: object) -> None:
    """macOS gives letters decomposed; the text that is hashed is written out here by hand."""
    known = [["str", unicodedata.normalize("NFC", text)], ["int", str(number)]]
    written_out = json.dumps(known, ensure_ascii=False, separators=(",", ":")).encode(
        "utf-8", "surrogatepass"
    )
    expected = hashlib.sha256(written_out).hexdigest()[:16]
    for form in ("NFC", "NFD"):
        assert hash16(unicodedata.normalize(form, text), number) == expected
