"""Searching by what a person typed."""

from __future__ import annotations

from contextlib import closing

import datajoint as dj
import pytest

from imaging_pipeline.database import open_tables
from imaging_pipeline.schemas import imaging, plain_rows
from tests.makers.lab import Lab

NAMES = ("Bo", "a%b", "a_b", "it's", 'say "x"', "N:\\moser", "!", "東京", "''", "{x}", "a\\'b", "`")


@pytest.mark.parametrize("name", NAMES)
def test_a_text_is_found_by_the_letter(lab: Lab, name: str) -> None:
    imaging.CueCard.insert({"cue_card": each} for each in NAMES)
    statement = (
        f"SELECT cue_card FROM {imaging.CueCard.full_table_name} WHERE LOWER(cue_card) LIKE %s ESCAPE '!'"
    )
    pattern = f"%{plain_rows.like_literal(name.upper())}%"
    found = [text for (text,) in plain_rows.fetch(lab.connection, statement, [pattern])]
    expected = [each for each in NAMES if name.lower() in each.lower()]
    assert sorted(found) == sorted(expected)


@pytest.mark.parametrize("name", NAMES)
def test_a_dictionary_finds_a_text_by_the_letter(lab: Lab, name: str) -> None:
    imaging.CueCard.insert({"cue_card": each, "card_content": each * 2} for each in NAMES)
    (row,) = (imaging.CueCard & {"cue_card": name}).to_dicts()
    assert row["card_content"] == name * 2
    assert len(imaging.CueCard & {"card_content": name * 2}) == 1
    # A key that was fetched finds its row again.
    assert (imaging.CueCard & (imaging.CueCard & {"card_content": name * 2}).fetch1("KEY")).fetch1() == row
    imaging.CueCard.update1({"cue_card": name, "card_content": "other"})
    assert (imaging.CueCard & {"cue_card": name}).fetch1("card_content") == "other"


@pytest.mark.parametrize(
    "path", [r"N:\moser\90218\day1", "\\\\server\\moser\\it's\\100%", "/mnt/moser/90218/day1"]
)
def test_a_request_is_found_by_its_path_as_it_was_typed(lab: Lab, path: str) -> None:
    roots = ("\\\\server\\moser", "/mnt/moser")
    imaging.Repository.Root.insert({"repository_name": "moser", "root": root} for root in roots)
    request = lab.request(lab.share / "90218" / "day1", combined=False) | {"path": path}
    imaging.BaseFolder.insert1(request)
    imaging.BaseFolder.insert1(request | {"path": "/mnt/moser/other"})
    assert (imaging.BaseFolder & {"path": path}).fetch1("path") == path
    for root in roots:
        assert (imaging.Repository.Root & {"root": root}).fetch1("root") == root
    with closing(open_tables(lab.config).connection) as connection:
        # As an analyst does, whose tables come from the database.
        virtual = dj.VirtualModule("their_own", imaging.schema.database, connection=connection)
        assert len(virtual.BaseFolder & {"path": path}) == 1


def test_a_connection_that_was_lost_finds_paths_again(lab: Lab) -> None:
    imaging.BaseFolder.insert1(lab.request(lab.share / "90218" / "day1", combined=False))
    lab.connection.close()
    lab.connection.connect()
    assert len(imaging.BaseFolder & {"path": r"N:\moser\90218\day1"}) == 1
