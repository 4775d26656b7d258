"""A share of many recording folders with many small files each."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np

from imaging_pipeline.demo.scanimage_file import write_stack
from imaging_pipeline.demo.scanimage_settings import ScanImageSettings
from tests.makers.folders import START, aged, write_companions

_FRAMES, _HEIGHT, _WIDTH = 4, 40, 40
_NUM_COMPANIONS = 4


def write_share(share: Path, num_folders: int, num_files: int) -> list[Path]:
    """Write folders of one session each: tifs of 16 kB, and what lies beside an acquisition.

    Parameters
    ----------
    share
        Where the folders are made.
    num_folders, num_files
        How many folders, and files in each; four of these are no tifs.
    """
    return [_write_folder(share, number, num_files - _NUM_COMPANIONS) for number in range(num_folders)]


def _write_folder(share: Path, number: int, num_tifs: int) -> Path:
    folder, name = share / f"day{number:04d}", f"90218-{number:04d}"
    folder.mkdir(parents=True)
    settings = replace(ScanImageSettings(frame_rate_hz=30.0), start=START + timedelta(hours=number))
    for file_number in range(1, num_tifs + 1):
        path = folder / f"{name}_00001_{file_number:05d}.tif"
        write_stack(path, np.zeros((_FRAMES, _HEIGHT, _WIDTH), np.int16), settings)
        aged(path)
        settings = settings.after(_FRAMES)
    write_companions(folder, name, 1)
    return folder
