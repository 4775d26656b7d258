import re
import unicodedata
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaging_pipeline import names
from imaging_pipeline.errors import InputError

START = datetime(2024, 5, 17, 14, 3, 9, 250_000)
parts = st.one_of(
    st.text(),
    st.booleans(),
    st.integers(),
    st.datetimes(),
    st.floats(-1e300, 1e300).map(lambda value: float(f"{value:.9e}") + 0.0),
)


def test_a_session_keeps_its_name_for_ever():
    assert names.session_name("90218", 0, START, "split") == "f45344dcddf021be"


def test_combined_and_split_sessions_of_one_start_have_two_names():
    split, combined = (names.session_name("90218", 0, START, label) for label in ("split", "combined"))

    assert split != combined


def test_a_microsecond_makes_another_session():
    later = START.replace(microsecond=START.microsecond + 1)

    assert names.session_name("90218", 0, START, "split") != names.session_name("90218", 0, later, "split")


def test_a_combined_name_depends_on_the_folder_and_its_repository():
    here = names.combined_metasession_name("90218", 0, "moser", "mouse/day1")

    assert here == names.combined_metasession_name("90218", 0, "moser", "mouse/day1", "combined")
    assert here != names.combined_metasession_name("90218", 0, "moser", "mouse/day2")
    assert here != names.combined_metasession_name("90218", 0, "other", "mouse/day1")


def test_composed_and_decomposed_letters_give_one_name():
    composed, decomposed = (unicodedata.normalize(form, "Ångström") for form in ("NFC", "NFD"))

    assert names.dataset_name("a", "tif", composed) == names.dataset_name("a", "tif", decomposed)


def test_numbers_of_the_database_driver_hash_as_python_numbers():
    assert names.hash16(np.int64(3), np.float64(0.5)) == names.hash16(3, 0.5)


@pytest.mark.parametrize("part", [None, b"bytes", float("nan"), float("inf"), START.replace(tzinfo=UTC)])
def test_what_has_no_canonical_text_is_refused(part):
    with pytest.raises(InputError, match="cannot be made"):
        names.hash16("90218", part)


def test_an_unknown_label_is_refused_with_the_known_ones():
    with pytest.raises(InputError, match="combined.*split"):
        names.session_name("90218", 0, START, "both")


def test_settings_are_equal_in_any_order_and_however_whole_numbers_are_written():
    as_given = {"tau": 1.0, "registration": {"batch_size": 20, "block_size": (64, 64)}}
    from_database = {"registration": {"block_size": [64.0, 64], "batch_size": 20.0}, "tau": 1}

    assert names.settings_hash(as_given) == names.settings_hash(from_database)
    assert names.settings_hash(as_given) != names.settings_hash(from_database | {"tau": 1.5})


def test_a_setting_that_json_does_not_know_is_refused():
    with pytest.raises(InputError, match="JSON"):
        names.settings_hash({"fs": object()})


@given(st.lists(parts))
def test_every_name_is_sixteen_hexadecimal_characters(values):
    assert re.fullmatch("[0-9a-f]{16}", names.hash16(*values))


def kind_and_text(value):
    return type(value), unicodedata.normalize("NFC", value) if isinstance(value, str) else value


@given(st.lists(parts), st.lists(parts))
def test_different_parts_have_different_names(first, second):
    same = [kind_and_text(value) for value in first] == [kind_and_text(value) for value in second]

    assert (names.hash16(*first) == names.hash16(*second)) == same


def test_the_second_of_two_equal_hours_has_a_name_of_its_own():
    start = datetime(2024, 10, 27, 2, 30)
    first, second = (names.session_name("a0f1", 0, start.replace(fold=fold), "split") for fold in (0, 1))
    assert first == names.session_name("a0f1", 0, start, "split")
    assert first != second
