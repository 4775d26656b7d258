"""Rules for definitions of tables, so that they work on both backends; tested without a database."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline.schemas.register import purge
from tests.makers.definitions import Column, columns, columns_of, tables
from tests.structure import PROJECT, imported, modules, parsed

TYPES = (
    r"int(8|16|32|64)|float(32|64)|decimal\(\d+,\s*\d+\)|varchar\(\d+\)|date|datetime\(6\)|bool|json|bytes"
    r"|enum\('[^']*'(, '[^']*')*\)|<blob>|<npy@main>|<object@main>|<trace>"
)
# Quantities: whoever reads one must know its unit, an array's type and shape.
EXPLAINED = r"float\d+|decimal.*|<blob>|<npy@main>|<trace>"
# Columns of a job table of DataJoint 2.3.5 beside its key.
JOB_COLUMNS = """
status priority created_time scheduled_time reserved_time completed_time duration error_message error_stack
user host pid connection_id version
"""
# A restriction by such a name may compare with a literal instead, or be refused. The words that MySQL 8.4
# reserves, and those that PostgreSQL or MariaDB do.
RESERVED = """
accessible add all alter analyze and as asc asensitive before between bigint binary blob both by call cascade
case change char character check collate column condition constraint continue convert create cross cube
cume_dist current_date current_time current_timestamp current_user cursor database databases day_hour
day_microsecond day_minute day_second dec decimal declare default delayed delete dense_rank desc describe
deterministic distinct distinctrow div double drop dual each else elseif empty enclosed escaped except exists
exit explain false fetch first_value float float4 float8 for force foreign from fulltext function generated
get grant group grouping groups having high_priority hour_microsecond hour_minute hour_second if ignore in
index infile inner inout insensitive insert int int1 int2 int3 int4 int8 integer intersect interval into
io_after_gtids io_before_gtids is iterate join json_table key keys kill lag last_value lateral lead leading
leave left like limit linear lines load localtime localtimestamp lock long longblob longtext loop low_priority
manual master_bind master_ssl_verify_server_cert match maxvalue mediumblob mediumint mediumtext middleint
minute_microsecond minute_second mod modifies natural not no_write_to_binlog nth_value ntile null numeric of
on optimize optimizer_costs option optionally or order out outer outfile over parallel partition percent_rank
precision primary procedure purge qualify range rank read reads read_write real recursive references regexp
release rename repeat replace require resignal restrict return revoke right rlike row rows row_number schema
schemas second_microsecond select sensitive separator set show signal smallint spatial specific sql
sqlexception sqlstate sqlwarning sql_big_result sql_calc_found_rows sql_small_result ssl starting stored
straight_join system table tablesample terminated then tinyblob tinyint tinytext to trailing trigger true undo
union unique unlock unsigned update usage use using utc_date utc_time utc_timestamp values varbinary varchar
varcharacter varying virtual when where while window with write xor year_month zerofill

analyse any array asymmetric authorization cast concurrently current_catalog current_role current_schema
deferrable do end freeze full ilike initially isnull lambda notnull offset only overlaps placing returning
session_user similar some symmetric user variadic verbose
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


def test_no_column_of_a_populated_table_is_called_like_one_of_its_jobs() -> None:
    """DataJoint compares finished jobs with rows by all names that both have: it would make them for ever."""
    populated = {table.__qualname__ for table in tables() if issubclass(table, dj.Imported | dj.Computed)}
    wrong = [
        str(column)
        for column in columns()
        if column.table in populated and column.name in JOB_COLUMNS.split()
    ]
    assert wrong == []


def test_quantities_say_what_they_are() -> None:
    assert wrong(lambda column: column.comment or not re.fullmatch(EXPLAINED, column.type)) == []


def test_contents_of_lookups_are_named() -> None:
    contents = {
        table.__name__: vars(table).get("contents", ()) for table in tables() if issubclass(table, dj.Lookup)
    }
    assert [name for name, rows in contents.items() if not all(type(row) is dict for row in rows)] == []
    assert len(contents["FileType"]) > 1


@cache
def calls() -> list[tuple[str, ast.Call]]:
    """Return every call in our code, and the file of it."""
    return [
        (str(path.relative_to(PROJECT)), node)
        for path in modules().values()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Call)
    ]


def called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def argument(call: ast.Call, keyword: str) -> str | None:
    """Return an argument of a call as it is written."""
    values = [ast.unparse(pair.value) for pair in call.keywords if pair.arg == keyword]
    return values[0] if values else None


def test_masters_are_not_deleted_with_their_parts() -> None:
    """`"cascade"` deletes the Sessions when a Dataset goes, and the default refuses."""
    deleting = r"\.(delete|cascade)$"
    # A table that looks first at what a person deletes leaves the deleting to DataJoint.
    deletions = [
        (where, call)
        for where, call in calls()
        if re.search(deleting, called(call)) and not called(call).startswith("super()")
    ]
    assert {Path(where).name for where, _ in deletions} == {"purge.py"}
    assert {argument(call, "part_integrity") for _, call in deletions} == {"_PART_INTEGRITY"}
    assert purge._PART_INTEGRITY == "ignore"


def test_rows_are_not_replaced_and_tables_not_altered() -> None:
    """Both fail on PostgreSQL."""
    assert [where for where, call in calls() if argument(call, "replace") == "True"] == []
    assert [where for where, call in calls() if re.search(r"\.(alter|describe)$", called(call))] == []


def test_nothing_is_unpickled_as_it_is() -> None:
    unpickling = r"(pickle|marshal|shelve|dill|joblib|torch)\.(load|loads|open|Unpickler)"
    assert [where for where, call in calls() if re.fullmatch(unpickling, called(call))] == []
    allowed = [where for where, call in calls() if argument(call, "allow_pickle") not in (None, "False")]
    assert allowed == []
    executed = [where for where, call in calls() if called(call) in ("eval", "exec", "compile", "yaml.load")]
    assert executed == []


def test_jobs_are_not_refreshed_by_datajoint() -> None:
    """It asks for every key, and where it is restricted it may delete stale rows that it should not see."""
    assert [where for where, call in calls() if re.search(r"jobs(\(\))?\.refresh$", called(call))] == []


def test_jobs_are_populated_without_refreshing_what_is_restricted() -> None:
    populating = [(where, call) for where, call in calls() if re.search(r"\.populate$", called(call))]
    reserved = [(where, call) for where, call in populating if argument(call, "reserve_jobs") == "True"]
    assert [where for where, call in reserved if argument(call, "refresh") != "False"] == []


def test_no_thread_is_given_a_connection() -> None:
    """Two threads that share one get each other's rows on MariaDB, without a word."""
    threading = {where for where, call in calls() if re.search(r"Thread(PoolExecutor)?$", called(call))}
    assert threading
    names = {str(path.relative_to(PROJECT)): name for name, path in modules().items()}
    imports = {where: set(imported(names[where])) for where in threading}
    assert {where: used for where, used in imports.items() if any(map(knows_of_database, used))} == {}


def knows_of_database(module: str) -> bool:
    return bool(re.search(r"\b(datajoint|schemas|database|pymysql|psycopg2)\b", module))
