"""Write docs/tables.md from the tables in code: python docs/make_tables.py.

The tables are declared in an embedded server of their own, so that what stands in the document is
what the database has.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datajoint as dj

from imaging_pipeline import database
from imaging_pipeline.config import embedded_config
from imaging_pipeline.schemas import imaging, mlims, suite2p_jobs

DOCUMENT = Path(__file__).with_name("tables.md")

_HEAD = """# Tables

Made from the code by `docs/make_tables.py`; change the code, not this page.

Every table is in one of three schemas, whose names begin with the configured prefix. Bold columns are the
primary key. Arrays say their type and shape; `<trace>` is one cell's row of an array that all cells of an
analysis share, `<npy@main>` an array of its own in the store, `<blob>` a small one in the database.

In the diagram an arrow goes from what is referred to, to what refers to it. Parts are left out.
"""


def page() -> str:
    """Give the document; the tables must be declared."""
    modules = (imaging, suite2p_jobs, mlims)
    return "\n".join([_HEAD, *_diagram(modules), *(line for module in modules for line in _schema(module))])


def _diagram(modules: tuple[Any, ...]) -> Iterator[str]:
    classes = [cls for module in modules for cls in database.table_classes(module)]
    names = {cls.full_table_name: cls.__name__ for cls in classes}
    names |= {part.full_table_name: cls.__name__ for cls in classes for part in database.parts(cls)}
    yield "```mermaid"
    yield "flowchart LR"
    arrows = set()
    for cls in classes:
        for table in (cls, *database.parts(cls)):
            for parent in table().parents():
                if names[parent] != cls.__name__:
                    arrows.add(f"    {names[parent]} --> {cls.__name__}")
    yield from sorted(arrows)
    yield "```\n"


def _schema(module: Any) -> Iterator[str]:
    name = module.__name__.rsplit(".", 1)[-1]
    yield f"## Schema `{name}`\n"
    yield f"{module.__doc__.splitlines()[0]}\n"
    for cls in database.table_classes(module):
        yield from _table(cls, cls.__name__)
        for part in database.parts(cls):
            yield from _table(part, f"{cls.__name__}.{part.__name__}")


def _table(cls: Any, name: str) -> Iterator[str]:
    tier = next(
        tier.__name__.lower()
        for tier in (dj.Part, dj.Lookup, dj.Imported, dj.Computed, dj.Manual)
        if issubclass(cls, tier)
    )
    yield f"### {name}\n"
    yield f"{(cls.__doc__ or '').strip().splitlines()[0]} ({tier})\n"
    yield "| column | type | what |"
    yield "|---|---|---|"
    for attribute in cls.heading.attributes.values():
        kind = attribute.original_type or attribute.type
        column = f"**{attribute.name}**" if attribute.in_key else attribute.name
        optional = ", may be empty" if attribute.nullable else ""
        yield f"| {column} | `{kind}`{optional} | {attribute.comment} |".replace("`|`", "`\\|`")
    yield ""


def main() -> None:
    """Declare the tables and write the document."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        config = dataclasses.replace(embedded_config(Path(folder)), timezone="UTC", loglevel="WARNING")
        database.init_db(config)
        DOCUMENT.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
