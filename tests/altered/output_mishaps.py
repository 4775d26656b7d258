"""What people, copying and other versions do to an output of Suite2p."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from tests.altered.mishaps import Mishap
from tests.altered.outputs import STEP, WrittenOutput, load, traces_of

OutputMishap = Callable[[Random, WrittenOutput], Mishap | None]

# One row a region.
_ROWS = ("F", "Fneu", "spks", "stat", "iscell")
_SECOND = ("F_chan2", "Fneu_chan2", "redcell")
_LARGEST_BLOCK = 200


def drop_row(random: Random, written: WrittenOutput) -> Mishap:
    """Drop a row of one file."""
    path = _array(random, written)
    content = load(path)
    np.save(path, np.delete(content, random.randrange(len(content)), axis=0))
    return Mishap(f"drop a row of {path.name}", _names(path))


def drop_region(random: Random, written: WrittenOutput) -> Mishap:
    """Drop a region of all files of a plane, as a person does who cleans up."""
    folder = random.choice(written.folders)
    paths = [folder / f"{name}.npy" for name in (*_ROWS, *_SECOND) if (folder / f"{name}.npy").exists()]
    at = random.randrange(len(load(folder / "F.npy")))
    if folder in written.imported:
        written.cells.discard(int(load(folder / "stat.npy")[at]["mrs"]))
    for path in paths:
        np.save(path, np.delete(load(path), at, axis=0))
    return Mishap("drop a region", (folder.name, written.root.name))


def reorder_regions(random: Random, written: WrittenOutput) -> Mishap:
    folder = random.choice(written.folders)
    order = list(range(len(load(folder / "F.npy"))))
    random.shuffle(order)
    for name in (*_ROWS, *_SECOND):
        if (folder / f"{name}.npy").exists():
            np.save(folder / f"{name}.npy", load(folder / f"{name}.npy")[order])
    return Mishap("reorder the regions of all files", (folder.name, written.root.name))


def drop_column(random: Random, written: WrittenOutput) -> Mishap:
    """Drop a frame of one file of traces."""
    path = random.choice(written.folders) / f"{random.choice(_ROWS[:3])}.npy"
    content = load(path)
    np.save(path, np.delete(content, random.randrange(content.shape[1]), axis=1))
    return Mishap(f"drop a frame of {path.name}", _names(path))


def drop_frame(random: Random, written: WrittenOutput) -> Mishap:
    """Drop a frame of all traces of a folder."""
    folder = random.choice(written.folders)
    at = random.randrange(written.num_frames)
    for path in (folder / f"{name}.npy" for name in (*_ROWS[:3], *_SECOND[:2])):
        if path.exists():
            np.save(path, np.delete(load(path), at, axis=1))
    return Mishap("drop a frame of all traces", (folder.name, written.root.name))


def merge(random: Random, written: WrittenOutput) -> Mishap | None:
    """Merge two regions as Suite2p's window does: the new one comes last, the two stay and name it."""
    folder = random.choice(written.folders)
    if folder.name != "combined" and written.has_combined:
        return None
    traces = load(folder / "F.npy")
    one, other = sorted(random.sample(range(len(traces)), 2))
    new = 200 + random.randrange(9)
    for quantity in ("F", "Fneu", "spks"):
        path = folder / f"{quantity}.npy"
        np.save(path, np.vstack([load(path), traces_of([new], written.num_frames, quantity)]))
    stat = load(folder / "stat.npy")
    merged = {**stat[one], "mrs": float(new), "imerge": np.array([one, other]), "inmerge": -1}
    for number in (one, other):
        written.cells.discard(int(stat[number]["mrs"]))
        stat[number]["inmerge"] = len(traces)
    np.save(folder / "stat.npy", np.array([*stat, merged], dtype=object))
    labels = load(folder / "iscell.npy")
    # 0.x leaves the two marked as cells.
    if written.generation == "1.x":
        labels[[one, other], 0] = 0
    np.save(folder / "iscell.npy", np.vstack([labels, [[1, new / STEP]]]))
    if (folder / "redcell.npy").exists():
        np.save(folder / "redcell.npy", np.vstack([load(folder / "redcell.npy"), [[0, new / STEP]]]))
    written.regions.add(new)
    written.cells.add(new)
    return Mishap("merge two regions", (folder.name, written.root.name, "F_chan2.npy"))


def curate(random: Random, written: WrittenOutput) -> Mishap:
    """Change labels where Suite2p's window shows them: in what was merged, or in a plane."""
    folder = written.folders[-1] if written.has_combined else random.choice(written.folders)
    _relabel(random, written, folder)
    return Mishap("curate")


def curate_plane(random: Random, written: WrittenOutput) -> Mishap | None:
    """Change labels of a plane although planes were merged."""
    if not written.has_combined:
        return None
    _relabel(random, written, written.folders[0])
    return Mishap("curate a plane beside what was merged", ("plane0", "combined"))


def change_type(random: Random, written: WrittenOutput) -> Mishap:
    """Save an array as another type, in another byte order or with columns first."""
    path = _array(random, written, traces_only=random.random() < 0.7)
    content = load(path)
    if path.name == "stat.npy":
        np.save(path, content.tolist())  # type: ignore[arg-type]
        return Mishap("save stat.npy as a list", _names(path))
    how = random.choice(
        ("float64", "float16", "int32", "int16", "uint8", "bool", ">f4", "complex64", "F", "T")
    )
    written.is_exact = how in ("float64", ">f4", "F")
    changed: Any = (
        np.asfortranarray(content) if how == "F" else content.T if how == "T" else content.astype(how)
    )
    np.save(path, changed)
    return Mishap(f"save {path.name} as {how}", _names(path))


def save_as_objects(random: Random, written: WrittenOutput) -> Mishap:
    path = _array(random, written)
    np.save(path, load(path).astype(object))
    return Mishap(f"save {path.name} as objects", _names(path))


def put_numbers(random: Random, written: WrittenOutput) -> Mishap:
    """Put numbers into labels or traces that nobody meant."""
    path = _array(random, written)
    if path.name == "stat.npy":
        return drop_row(random, written)
    content = load(path)
    value = random.choice((np.nan, np.inf, -1.0, 0.4, 1e30))
    content[random.randrange(len(content)), random.randrange(content.shape[1])] = value
    np.save(path, content)
    written.is_exact = False
    return Mishap(f"put {value} into {path.name}", _names(path))


def forget_labels(random: Random, written: WrittenOutput) -> Mishap:
    folder = written.folders[-1]
    path = folder / "iscell.npy"
    np.save(path, np.full(load(path).shape, np.nan))
    return Mishap("have labels that are all NaN", _names(path))


def take_other_plane(random: Random, written: WrittenOutput) -> Mishap | None:
    """Have a plane's folder in the place of another one."""
    if written.num_planes == 1:
        return None
    one, other = random.sample(range(written.num_planes), 2)
    shutil.rmtree(written.root / f"plane{other}")
    shutil.copytree(written.root / f"plane{one}", written.root / f"plane{other}")
    return Mishap(
        "have a plane's folder in the place of another", (f"plane{one}", f"plane{other}", "suite2p")
    )


def swap_planes(random: Random, written: WrittenOutput) -> Mishap | None:
    if written.num_planes == 1:
        return None
    one, other = random.sample(range(written.num_planes), 2)
    (written.root / f"plane{one}").rename(written.root / "aside")
    (written.root / f"plane{other}").rename(written.root / f"plane{one}")
    (written.root / "aside").rename(written.root / f"plane{other}")
    return Mishap("swap two planes' folders", (f"plane{one}", f"plane{other}", "suite2p"))


def lose_plane(random: Random, written: WrittenOutput) -> Mishap | None:
    if written.num_planes == 1:
        return None
    folder = random.choice(written.folders)
    shutil.rmtree(folder)
    return Mishap("delete a folder of the output", (folder.name, "suite2p"))


def change_generation(random: Random, written: WrittenOutput) -> Mishap | None:
    """Take the dictionaries of 1.x away, so that its ``ops.npy`` alone is left, as of 0.x."""
    if written.generation == "0.x":
        return None
    for folder in written.folders:
        for name in random.sample(("db.npy", "settings.npy", "reg_outputs.npy", "detect_outputs.npy"), 2):
            (folder / name).unlink(missing_ok=True)
    return Mishap("take dictionaries away", ("plane0", "combined", "suite2p"))


def change_description(random: Random, written: WrittenOutput) -> Mishap:
    """Let the description count frames or list files otherwise, as that of another run does."""
    folder = random.choice(written.folders)
    path = folder / ("ops.npy" if written.generation == "0.x" else "db.npy")
    described = load(path).item()
    listed = "filelist" if written.generation == "0.x" else "file_list"
    changes: dict[str, dict[str, Any]] = {
        "frames_per_file": {"frames_per_file": np.asarray(described["frames_per_file"])[::-1].copy()},
        "files": {listed: list(described[listed])[::-1]},
        "more frames": {"frames_per_file": np.asarray(described["frames_per_file"]) + 1},
        "planes": {"nplanes": described["nplanes"] + 1},
    }
    what = random.choice(sorted(changes))
    np.save(path, described | changes[what])
    return Mishap(f"change the {what} in {path.name}", (path.name, folder.name, "suite2p"))


def delete_file(random: Random, written: WrittenOutput) -> Mishap:
    path = _any_file(random, written)
    path.unlink()
    return Mishap(f"delete {path.name}", _names(path))


def truncate(random: Random, written: WrittenOutput) -> Mishap:
    path = _any_file(random, written)
    os.truncate(path, random.randrange(path.stat().st_size))
    return Mishap(f"cut the end of {path.name} off", _names(path))


def append(random: Random, written: WrittenOutput) -> Mishap:
    path = _any_file(random, written)
    with path.open("ab") as file:
        file.write(random.randbytes(random.randint(1, 200)))
    return Mishap(f"append bytes to {path.name}", _names(path))


def zero_block(random: Random, written: WrittenOutput) -> Mishap:
    path = _any_file(random, written)
    size = path.stat().st_size
    start = random.randrange(size)
    with path.open("rb+") as file:
        file.seek(start)
        file.write(bytes(min(random.randint(1, _LARGEST_BLOCK), size - start)))
    written.is_exact = False
    return Mishap(f"zero a block of {path.name}", _names(path))


OUTPUT_MISHAPS: Sequence[OutputMishap] = (
    drop_row,
    drop_row,
    drop_region,
    reorder_regions,
    drop_column,
    drop_frame,
    merge,
    merge,
    curate,
    curate,
    curate_plane,
    change_type,
    change_type,
    save_as_objects,
    put_numbers,
    forget_labels,
    take_other_plane,
    swap_planes,
    lose_plane,
    change_generation,
    change_description,
    change_description,
    delete_file,
    truncate,
    append,
    zero_block,
)


def _relabel(random: Random, written: WrittenOutput, folder: Path) -> None:
    labels = load(folder / "iscell.npy")
    labels[:, 0] = [random.random() < 0.5 for _ in labels]
    np.save(folder / "iscell.npy", labels)
    regions = np.round(labels[:, 1] * STEP).astype(int).tolist()
    written.cells -= set(regions)
    written.cells |= {region for region, label in zip(regions, labels[:, 0], strict=True) if label}


def _array(random: Random, written: WrittenOutput, *, traces_only: bool = False) -> Path:
    folder = random.choice(written.folders)
    names = _ROWS[:3] if traces_only else (*_ROWS, *_SECOND)
    paths = [path for name in names if (path := folder / f"{name}.npy").exists()]
    return random.choice(paths)


def _any_file(random: Random, written: WrittenOutput) -> Path:
    return random.choice(sorted(path for folder in written.folders for path in folder.glob("*.npy")))


def _names(path: Path) -> tuple[str, ...]:
    """Return the file and its folders: what is missing of an output is told of the output."""
    return path.name, path.parent.name, path.parents[1].name
