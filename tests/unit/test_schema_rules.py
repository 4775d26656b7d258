"""Rules that definitions of tables must keep to work on both backends, held without a database."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import datajoint as dj
import pytest

import imaging_pipeline
from tests.makers.definitions import Column, columns, columns_of, tables

TYPES = (
    r"int(8|16|32|64)|float(32|64)|decimal\(\d+,\s*\d+\)|varchar\(\d+\)|date|datetime\(6\)|bool|json|bytes"
    r"|enum\('[^']*'(, '[^']*')*\)|<blob>|<npy@main>|<object@main>|<trace>"
)
# Quantities: whoever reads one must know its unit, an array's type and shape.
EXPLAINED = r"float\d+|decimal.*|<blob>|<npy@main>|<trace>"
# Reserved on MySQL 8 or PostgreSQL: a restriction by such a name may compare with a literal instead.
RESERVED = """
all analyse analyze and any array as asc between both by case cast check collate column condition constraint
create cross cube cursor default delete desc describe distinct div do else end except exists explain false
fetch float for foreign from function grant group groups grouping having if in index inner insert int
integer interval into is join key keys kill lambda lag lead left like limit lines load lock long loop match
mod natural not null numeric of offset on optimize option or order out outer over partition placing
precision primary procedure purge range rank read real recursive references release rename repeat replace
require return row rows schema select session_user set show some spatial system table then to trigger true
union unique unlock update usage use user using values varying when where while window with write
"""


def wrong(is_right: Any) -> list[str]:
    return [str(column) for column in columns() if not is_right(column)]


def test_the_rules_see_every_column() -> None:
    assert len(tables()) > 60
    assert Column("Tif.SI", "framerate", "", "float64", "Hz, of single images") in columns()


def test_no_definition_has_a_percent_sign() -> None:
    """MySQL's driver takes it for a placeholder."""
    assert [table.__qualname__ for table in tables() if "%" in table.definition] == []


def test_columns_have_types_of_both_backends() -> None:
    assert wrong(lambda column: re.fullmatch(TYPES, column.type)) == []


def test_no_column_is_called_like_a_word_of_sql() -> None:
    assert wrong(lambda column: column.name not in RESERVED.split()) == []


def test_entry_times_are_set_by_the_server_in_microseconds() -> None:
    """MySQL 8 refuses the default of another precision than the column's."""
    times = [column for column in columns() if column.default.startswith("CURRENT")]
    assert {column.default for column in times} == {"CURRENT_TIMESTAMP(6)"}
    assert {column.type for column in times} == {"datetime(6)"}


def test_defaults_of_yes_and_no_are_numbers() -> None:
    assert wrong(lambda column: column.type != "bool" or column.default in {"", "0", "1", "null"}) == []


def test_keys_have_types_that_job_tables_take() -> None:
    """Parts too: a person's own table may hang below one and inherit its key."""
    keys = [column for table in tables() for column in columns_of_key(table)]
    allowed = r"int\d+|varchar\(\d+\)|date|decimal\(.*\)"
    assert [str(column) for column in keys if not re.fullmatch(allowed, column.type)] == []


def columns_of_key(table: Any) -> list[Column]:
    above = table.definition.partition("---")[0]
    return [column for column in columns_of(table) if re.search(rf"^\s*{column.name}\b", above, re.MULTILINE)]


def test_quantities_say_what_they_are() -> None:
    assert wrong(lambda column: column.comment or not re.fullmatch(EXPLAINED, column.type)) == []


def test_contents_of_lookups_are_named() -> None:
    contents = {
        table.__name__: vars(table).get("contents", ()) for table in tables() if issubclass(table, dj.Lookup)
    }
    assert [name for name, rows in contents.items() if not all(type(row) is dict for row in rows)] == []
    assert len(contents["FileType"]) > 1


@pytest.mark.parametrize("package", ["imaging_pipeline", "batch_populate"])
def test_nothing_deletes_masters_with_their_parts(package: str) -> None:
    """It deletes the Sessions when a Dataset goes."""
    root = Path(imaging_pipeline.__file__).parents[1] / package
    cascading = re.compile(r"""part_integrity["']?\s*[=:]\s*["']cascade""")
    sources = sorted(root.rglob("*.py"))
    assert sources
    assert [path.name for path in sources if cascading.search(path.read_text(encoding="utf-8"))] == []
