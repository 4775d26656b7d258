"""The demo's laboratory: a database, a share and the rows that a first request needs, in one folder."""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline import database
from imaging_pipeline.config.config import CONFIG_NAME, Config, embedded_config
from imaging_pipeline.demo.share import (
    FOLDER,
    synthetic_truths,
    write_share_of_movie,
    write_synthetic_share,
)
from imaging_pipeline.demo.truth import Truth
from imaging_pipeline.demo.user_movie import UserMovie, open_movie
from imaging_pipeline.errors import InputError, OtherVersionError, Responsible, StoreError
from imaging_pipeline.schemas import imaging, mlims, tables
from imaging_pipeline.schemas.administer.administration import add_options, add_repository, add_user

REPOSITORY = "demo"
WINDOWS_ROOT = "N:\\"
WINDOWS_PATH = WINDOWS_ROOT + "\\".join(FOLDER.parts)
ANIMAL = "90218"
USER = "demo"
OPS_NAME = "demo"
OPS_SETTINGS: Mapping[str, Any] = {
    "tau": 0.7,
    "run": {"do_regmetrics": False},
    # Drift is rigid in the demo, and default blocks do not fit into a small field of view.
    "registration": {"nonrigid": False, "nimg_init": 200, "batch_size": 20},
    # In a minute's recording, cells that fired only a few times should be found too.
    "detection": {"threshold_scaling": 0.8},
}
"""Settings of Suite2p 1.1 that differ from its defaults; the frame rate is the recording's."""

MOVIE_RATE_HZ = 15.0
"""Frame rate of a person's own movie, whose file does not say it."""

_SOURCE_FILE = "movie.txt"


@dataclass(frozen=True)
class Laboratory:
    """A laboratory that is ready for requests.

    Attributes
    ----------
    folder
        Everything of the demo lies below it.
    config
        The configuration in force.
    truths
        Truth of the movies, by timeseries name; empty for a person's own movie.
    seconds
        Wall time of opening it.
    """

    folder: Path
    config: Config
    truths: dict[str, Truth]
    seconds: float


def open_laboratory(folder: Path, movie: Path | None) -> Laboratory:
    """Set up the laboratory in a folder, or open that of an earlier demo.

    Parameters
    ----------
    folder
        The folder, which is made if it is not there.
    movie
        A person's own movie, or None for the synthetic one.

    Raises
    ------
    InputError
        The folder holds the demo of another movie, or files that are not a demo's.
    StoreError
        The folder cannot be written to.
    OtherVersionError
        The earlier demo was made by another version.
    """
    begun = time.monotonic()
    folder = folder.absolute()
    user_movie = open_movie(movie) if movie else None
    source = str(movie.resolve()) if movie else "synthetic"
    try:
        _prepare_share(folder, user_movie, source)
        config = _write_config(folder)
        for subfolder in (config.scratch, folder / "store"):
            subfolder.mkdir(exist_ok=True)
    except OSError as error:
        raise StoreError(
            "The demo cannot be written to its folder",
            path=folder,
            found=error,
            remedy="Name another folder with --folder.",
            responsible=Responsible.EXPERIMENTER,
        ) from error
    _declare(folder, config)
    _insert_rows()
    truths = {} if movie else synthetic_truths()
    return Laboratory(folder, config, truths, time.monotonic() - begun)


def _declare(folder: Path, config: Config) -> None:
    try:
        database.init_db(config)
    except OtherVersionError as error:
        # Other commands find the demo's database by its configuration alone.
        command = f"imaging-pipeline --config {folder / CONFIG_NAME} upgrade"
        raise OtherVersionError(
            "An earlier demo in this folder was made by another version of imaging-pipeline",
            path=folder,
            found=error.found,
            allowed=error.allowed,
            remedy=f"Run: {command} and then the demo again; or name another folder with --folder.",
            responsible=Responsible.EXPERIMENTER,
        ) from error


def _prepare_share(folder: Path, movie: UserMovie | None, source: str) -> None:
    """Write the share if there is none yet; files that are not a demo's are never touched."""
    share = folder / "share"
    if share.exists():
        _check_movie(share, source)
        return
    leftovers = {"share.partial"}
    if folder.exists() and {path.name for path in folder.iterdir()} - leftovers:
        raise InputError(
            "The folder holds something that is no demo's",
            path=folder,
            remedy="Name a folder that is empty or not there with --folder.",
        )
    _write_share(share, movie, source)


def _write_config(folder: Path) -> Config:
    """Return the configuration, and write a file by which commands find the demo's database."""
    settings: dict[str, Any] = {
        "custom": {
            "database.prefix": "demo_",
            "embedded.folder": str(folder / "database"),
            "repositories": {REPOSITORY: str(folder / "share")},
            "suite2p.scratch": str(folder / "scratch"),
            "timezone": "Europe/Oslo",
        },
        "stores": {"default": "main", "main": {"protocol": "file", "location": str(folder / "store")}},
    }
    (folder / CONFIG_NAME).write_text(json.dumps(settings, indent=4) + "\n", encoding="utf-8")
    return dataclasses.replace(
        embedded_config(folder / "database"),
        prefix="demo_",
        loglevel="WARNING",
        safemode=False,
        repositories={REPOSITORY: folder / "share"},
        stores=settings["stores"],
        suite2p_scratch=folder / "scratch",
        timezone="Europe/Oslo",
    )


def _check_movie(share: Path, source: str) -> None:
    """Raise if the folder holds the demo of another movie."""
    note = share / _SOURCE_FILE
    other = note.read_text(encoding="utf-8").strip() if note.exists() else "a share that is no demo's"
    if other != source:
        raise InputError(
            "The folder does not hold the demo of this movie",
            path=share.parent,
            found=other,
            allowed=source,
            remedy="Name another folder with --folder, or remove this one.",
        )


def _write_share(share: Path, movie: UserMovie | None, source: str) -> None:
    # Renamed when it is whole, so that an interrupted demo leaves no half share.
    partial = share.with_name("share.partial")
    if partial.exists():
        shutil.rmtree(partial)
    if movie is None:
        write_synthetic_share(partial)
    else:
        write_share_of_movie(partial, movie, MOVIE_RATE_HZ)
    (partial / _SOURCE_FILE).write_text(source + "\n", encoding="utf-8")
    partial.rename(share)


def _insert_rows() -> None:
    """Insert the user, the animal, the repository and the option set that requests refer to."""
    handle = tables.default_tables()
    if not imaging.User() & {"username": USER}:
        add_user(handle, username=USER, first_name="Demo", is_staff=True)
    mlims.Animal.insert1(
        {"animal_id": "a90218", "datasource_id": 0, "animal_name": ANIMAL}, skip_duplicates=True
    )
    add_repository(handle, REPOSITORY, [WINDOWS_ROOT])
    add_options(handle, OPS_NAME, OPS_SETTINGS)
