"""The page that shows how an analysis is added shows the package's own code, and it is all that is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from imaging_pipeline.config.keys import CONFIG_VARIABLE
from imaging_pipeline.schemas import imaging
from tests.database.test_docs import DOCS, blocks
from tests.makers.config_file import write_config
from tests.makers.lab import Lab
from tests.makers.recordings import OPEN_FIELD, import_all, session_key

PROJECT = DOCS.parent
BLOCKS = tuple(blocks((DOCS / "add_an_analysis.md").read_text(encoding="utf-8")))
MODULES = ("imaging_pipeline/analysis/noise.py", "imaging_pipeline/schemas/imaging/signal_to_noise.py")
LINES = ("imaging_pipeline/schemas/imaging/__init__.py", "imaging_pipeline/lanes.py")
TIMEOUT_S = 120

NAMES_OF_JOB_TABLES = """
import imaging_pipeline
from imaging_pipeline.schemas import tables
from imaging_pipeline.schemas.jobs.job_tables import job_tables
imaging_pipeline.connect()
print(*(f"{each.lane}:{each.short_name}" for each in job_tables(tables.default_tables())))
"""


def pieces(file: str) -> list[str]:
    return [block.text for block in BLOCKS if block.file == file]


def written_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.strip()]


def source(file: str) -> str:
    return (PROJECT / file).read_text(encoding="utf-8")


@pytest.mark.parametrize("file", MODULES)
def test_the_pieces_on_the_page_are_the_module(file: str) -> None:
    assert written_lines("".join(pieces(file))) == written_lines(source(file))


@pytest.mark.parametrize("file", [*LINES, "imaging_pipeline/schemas/imaging/raw.py"])
def test_what_the_page_shows_of_other_files_is_there(file: str) -> None:
    (shown,) = pieces(file)
    assert source(file).count(shown) == 1


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """Return a folder with a copy of the packages that lacks all that the page adds."""
    folder = tmp_path / "without"
    for name in ("imaging_pipeline", "batch_populate"):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for file in MODULES:
        (folder / file).unlink()
    for file in LINES:
        (line,) = pieces(file)
        (folder / file).write_text(source(file).replace(line, ""), encoding="utf-8")
    return folder


def follow_the_page(package: Path) -> None:
    """Write the modules as the page shows them, and put each line below the last one of its kind."""
    for file in MODULES:
        (package / file).write_text("\n\n".join(pieces(file)), encoding="utf-8")
    neighbours = dict(zip(LINES, ("import Session as Session\n", 'FilteredSpikes",\n'), strict=True))
    for file, neighbour in neighbours.items():
        (line,) = pieces(file)
        text = (package / file).read_text(encoding="utf-8")
        assert text.count(neighbour) == 1
        (package / file).write_text(text.replace(neighbour, f"{neighbour}{line}"), encoding="utf-8")


def run(package: Path, config: Path, *arguments: str) -> str:
    """Run Python with the packages of a folder."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=package,
        env={**os.environ, "PYTHONPATH": str(package), CONFIG_VARIABLE: str(config)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow(reason="three processes import a copy of the package, which is compiled anew")
def test_a_worker_fills_the_table_once_the_page_is_followed(lab: Lab, package: Path, tmp_path: Path) -> None:
    import_all(lab, OPEN_FIELD)
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    before = run(package, config, "-c", NAMES_OF_JOB_TABLES).split()
    follow_the_page(package)
    after = run(package, config, "-c", NAMES_OF_JOB_TABLES).split()
    assert set(after) - set(before) == {"computed:SNR"}

    run(package, config, "-m", "batch_populate", "computed", "--once")

    key = session_key(OPEN_FIELD)
    (shown,) = (block.text for block in BLOCKS if block.language == "python" and not block.file)
    names: dict[str, object] = {"imaging": imaging, "key": key}
    exec(shown, names)
    assert len(names["ratios"]) == len(imaging.Cell.Rois & key) > 0  # type: ignore[arg-type]
    assert np.isfinite((imaging.SNR.Cell & key).to_arrays("noise_df_f")).all()
