"""The page that shows how an experiment type is added shows the package's own code, and it works."""

from __future__ import annotations

from datetime import datetime

import pytest

from imaging_pipeline.schemas import imaging
from tests.database.test_docs import DOCS, blocks
from tests.makers.folders import write_file
from tests.makers.lab import Lab
from tests.makers.plain_tifs import write_plain_tifs

MODULE = "imaging_pipeline/experiments/plain_tifs.py"
BLOCKS = tuple(blocks((DOCS / "add_an_experiment_type.md").read_text(encoding="utf-8")))


def written_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def source(file: str) -> str:
    return (DOCS.parent / file).read_text(encoding="utf-8")


def test_the_pieces_on_the_page_are_the_module() -> None:
    pieces = [block.text for block in BLOCKS if block.file == MODULE]
    assert len(pieces) > 1
    assert written_lines("".join(pieces)) == written_lines(source(MODULE))


@pytest.mark.parametrize(
    "file",
    [
        "imaging_pipeline/experiments/registry.py",
        "imaging_pipeline/experiments/dataset_types.py",
        "imaging_pipeline/schemas/imaging/reference.py",
    ],
)
def test_what_the_page_adds_to_other_files_is_there(file: str) -> None:
    (added,) = (block.text for block in BLOCKS if block.file == file)
    assert added in source(file)


def test_a_folder_as_the_page_shows_it_becomes_a_session(lab: Lab) -> None:
    folder = write_plain_tifs(lab.share / "90218" / "2024-05-17")
    (described,) = (block.text for block in BLOCKS if block.file == "session.json")
    write_file(folder / "session.json", described.encode())
    (request,) = (block.text for block in BLOCKS if block.language == "python" and not block.file)

    exec(request, {"imaging": imaging})
    imaging.MakeDatasetSessions.populate()

    assert imaging.Session().fetch1("timeseries_name", "session_timestamp") == (
        "90218-openfield",
        datetime(2024, 5, 17, 14, 3, 9, 250_000),
    )
