"""Write docs/tables.md, and the tables of each lane in docs/workers.md, from the tables in code.

python docs/make_tables.py

The tables are declared in an embedded server of their own, so that what stands in the document is
what the database has.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline import database
from imaging_pipeline.config.config import embedded_config
from imaging_pipeline.lanes import LANES
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs

DOCUMENT = Path(__file__).with_name("tables.md")
LANES_DOCUMENT = Path(__file__).with_name("workers.md")

_SCHEMAS = (mlims, imaging, suite2p_jobs)
# Pages that are left out of the first diagram: nearly everything refers to them.
_REFERRED_TO = ("mlims", "reference", "arenas", "parameters", "hardware")

_TIERS = {
    dj.Part: "part",
    dj.Lookup: "lookup",
    dj.Imported: "imported",
    dj.Computed: "computed",
    dj.Manual: "manual",
}
_LANES = {table.partition(":")[2]: lane.name for lane in LANES for table in lane.tables}

_HEAD = """\
# Tables

Made from the code by `docs/make_tables.py`; change the code, not this page.

The tables are in three schemas, `mlims`, `imaging` and `suite2p_jobs`, whose names begin with the
configured prefix. Bold columns are the primary key. An insert may leave out columns that may be empty or
have a default, and times of entry. `<trace>` is one cell's row of an array that all cells of an analysis
share, `<npy@main>` an array of its own in the store, `<blob>` a small array in the database.

An arrow goes from what is referred to, to what refers to it. A dotted one belongs to a part of the table.
Without animals, people, places, types and parameters the tables are these; `MakeDatasetSessions` writes
`MetaSession`, `Session`, `Dataset` and `PhysicalFile`.
"""


@dataclasses.dataclass(frozen=True)
class _Origin:
    """The column that a foreign key's column refers to."""

    table: str
    column: str


class _Tables:
    """Every table of the pipeline, found by its name in the database."""

    def __init__(self) -> None:
        masters = [cls for schema in _SCHEMAS for cls in database.table_classes(schema)]
        self.masters = {
            table.full_table_name: cls for cls in masters for table in (cls, *database.parts(cls))
        }
        self._tables = {
            table.full_table_name: table for cls in masters for table in (cls, *database.parts(cls))
        }
        modules = dict.fromkeys(cls.__module__ for cls in masters)
        self.pages = {module: [cls for cls in masters if cls.__module__ == module] for module in modules}

    def name(self, full_name: str) -> str:
        """Return ``Session`` or ``Session.Data``."""
        return str(self._tables[full_name].__qualname__)

    def origins(self, table: Any) -> dict[str, _Origin]:
        """Return what the columns of a table refer to."""
        return {
            column: _Origin(parent, referred)
            for parent, key in table().parents(foreign_key_info=True)
            for column, referred in key["attr_map"].items()
        }

    def kind(self, table: Any, column: str) -> str:
        """Return a column's type as it was declared; a reference has the server's word for it."""
        origin = self.origins(table).get(column)
        if origin is not None:
            return self.kind(self._tables[origin.table], origin.column)
        attribute = table.heading.attributes[column]
        return str(attribute.original_type or attribute.type)

    def arrows(self, cls: Any) -> Iterator[tuple[Any, str]]:
        """Return what a master refers to, and how the arrow is drawn: solid, or dotted for its parts."""
        own = {self.masters[parent]: "-->" for parent in cls().parents()}
        of_parts = {
            self.masters[parent]: "-.->" for part in database.parts(cls) for parent in part().parents()
        }
        for parent, line in (of_parts | own).items():
            if parent is not cls:
                yield parent, line


def page() -> str:
    """Return the document; the tables must be declared."""
    tables = _Tables()
    sections = (line for module in tables.pages for line in _section(tables, module))
    return "\n".join([_HEAD, *_overview(tables), *sections])


def with_tables_of_lanes(document: str) -> str:
    """Return a document whose table of lanes names what each of them fills, in order."""
    for lane in LANES:
        names = ", ".join(f"`{table.partition(':')[2]}`" for table in lane.tables)
        document = re.sub(
            rf"^(\| `{lane.name}` \| )`\w+`(, `\w+`)*", rf"\1{names}", document, flags=re.MULTILINE
        )
    return document


def _overview(tables: _Tables) -> Iterator[str]:
    shown = [module for module in tables.pages if module.rpartition(".")[2] not in _REFERRED_TO]
    classes = [cls for module in shown for cls in tables.pages[module]]
    yield from _flowchart(tables, classes, referred_to=classes)


def _section(tables: _Tables, module: str) -> Iterator[str]:
    classes = tables.pages[module]
    _, _, schema, *page = module.split(".")
    yield f"## Page `{page[0]}` of `{schema}`\n" if page else f"## Schema `{schema}`\n"
    yield f"{_first_line(sys.modules[module])}\n"
    yield from _flowchart(tables, classes, referred_to=list(tables.masters.values()))
    for cls in classes:
        yield from _table(tables, cls, "###")
        for part in database.parts(cls):
            yield from _table(tables, part, "####")


def _flowchart(tables: _Tables, classes: list[Any], referred_to: list[Any]) -> Iterator[str]:
    arrows = {
        f"    {parent.__name__} {line} {cls.__name__}"
        for cls in classes
        for parent, line in tables.arrows(cls)
        if parent in referred_to
    }
    if arrows:
        yield "```mermaid"
        yield "flowchart LR"
        yield from sorted(arrows)
        yield "```\n"


def _table(tables: _Tables, cls: Any, marks: str) -> Iterator[str]:
    tier = next(name for kind, name in _TIERS.items() if issubclass(cls, kind))
    lane = f", lane `{_LANES[cls.__name__]}`" if tier != "part" and cls.__name__ in _LANES else ""
    yield f"{marks} {cls.__qualname__}\n"
    yield f"{_first_line(cls)} ({tier}{lane})\n"
    yield "| column | type | what |"
    yield "|---|---|---|"
    origins = tables.origins(cls)
    for attribute in cls.heading.attributes.values():
        kind, origin = tables.kind(cls, attribute.name), origins.get(attribute.name)
        name = f"**{attribute.name}**" if attribute.in_key else attribute.name
        facts = [
            f"of {_link(tables.name(origin.table))}" if origin else "",
            attribute.comment or "",
            _when_left_out(attribute),
        ]
        yield f"| {name} | `{_escaped(kind)}` | {_escaped('; '.join(filter(None, facts)))} |"
    yield ""


def _when_left_out(attribute: Any) -> str:
    """Tell what stands in a column that an insert leaves out; nothing of times of entry."""
    # PostgreSQL names the type behind a text: "'mouse'::character varying".
    default = (attribute.default or "").strip('"').partition("::")[0].strip("'")
    if attribute.nullable or (attribute.default and not default):
        return "may be empty"
    return f"default {default}" if default and not default.startswith("CURRENT_TIMESTAMP") else ""


def _link(name: str) -> str:
    return f"[{name}](#{name.lower().replace('.', '')})"


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _first_line(documented: Any) -> str:
    return str((documented.__doc__ or "").strip().splitlines()[0])


def main() -> None:
    """Declare the tables and write the document."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        config = dataclasses.replace(embedded_config(Path(folder)), timezone="UTC", loglevel="WARNING")
        database.init_db(config)
        DOCUMENT.write_text(page(), encoding="utf-8")
    document = LANES_DOCUMENT.read_text(encoding="utf-8")
    LANES_DOCUMENT.write_text(with_tables_of_lanes(document), encoding="utf-8")


if __name__ == "__main__":
    main()
