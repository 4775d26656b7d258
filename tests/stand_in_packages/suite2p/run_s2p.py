"""The call itself, with the real one's traps: it heeds files that it finds, and counts on."""

import logging
import shutil
import tempfile
from pathlib import Path

import numpy as np
import tifffile

import suite2p.extraction
import suite2p.io.tiff
from suite2p.orders import obey, order
from tests.makers.suite2p_output import Suite2pSpec, write_output

logger = logging.getLogger("suite2p")

_NUM_ROIS = 5
_OF_CELLS = ("F.npy", "Fneu.npy", "spks.npy", "stat.npy", "iscell.npy")


def run_s2p(db, settings):
    """Write an output whose traces follow from the pixels."""
    root = Path(db["save_path0"], db["save_folder"])
    num_folders = db["nplanes"] * len(_fields(db))
    kept = [plane for plane in range(num_folders) if plane not in (db["ignore_flyback"] or ())]
    frames_per_file = _write_binaries(root, db)
    height, width = tifffile.imread(db["file_list"][0], key=0).shape
    spec = Suite2pSpec(
        frame_px=(len(range(height)[_fields(db)[0]]), width),
        num_planes=num_folders,
        num_rois=_NUM_ROIS,
        file_list=[Path(path).name for path in db["file_list"]],
        frames_per_file=frames_per_file,
        num_channels=db["nchannels"],
        flyback_planes=db["ignore_flyback"] or (),
        combined=settings["io"]["combined"],
        registered=settings["run"]["do_registration"] > 0,
    )
    with tempfile.TemporaryDirectory() as drawn:
        write_output(Path(drawn), spec)
        for plane in kept:
            logger.info(">>>>>>>>>>>>>>>>>>>>> PLANE %d <<<<<<<<<<<<<<<<<<<<<<", plane)
            _take(Path(drawn, f"plane{plane}"), root / f"plane{plane}")
            _leave_out_bad_frames(root / f"plane{plane}", db)
            pipeline(str(root / f"plane{plane}"), _movie(root / f"plane{plane}", db), None, None)
        if Path(drawn, "combined").is_dir():
            _take(Path(drawn, "combined"), root / "combined")
            traces = [np.load(root / f"plane{plane}" / "F.npy") for plane in kept]
            np.save(root / "combined" / "F.npy", np.concatenate(traces))
    for lost in order().get("lost", ()):
        (root / lost).unlink()
    _unpickle_classifier(settings["classification"]["classifier_path"])


def _unpickle_classifier(path):
    if path:
        model = np.load(path, allow_pickle=True).item()
        logger.info("classifier %s with %s", path, model["keys"])


def pipeline(save_path, f_reg, f_raw, f_reg_chan2):
    """Analyse one plane."""
    folder = Path(save_path)
    _stage("REGISTRATION", folder)
    _stage("ROI DETECTION", folder)
    if order()["do"] == "find nothing":
        for name in _OF_CELLS:
            (folder / name).unlink()
        raise ValueError("no ROIs were found -- check registered binary and maybe try changing spatial scale")
    _stage("EXTRACTION", folder)
    stat = np.load(folder / "stat.npy", allow_pickle=True)
    traces = suite2p.extraction.extraction_wrapper(stat, f_reg)
    np.save(folder / "F.npy", traces)
    return None, None, stat, traces, {}


def _take(drawn, folder):
    folder.mkdir(exist_ok=True)
    for path in drawn.iterdir():
        shutil.move(path, folder / path.name)


def _leave_out_bad_frames(folder, db):
    """Heed what lies beside the data, as the real one does without being asked."""
    bad_frames = Path(db["data_path"][0], "bad_frames.npy")
    if bad_frames.exists():
        registration = np.load(folder / "reg_outputs.npy", allow_pickle=True).item()
        registration["badframes"][np.load(bad_frames)] = True
        np.save(folder / "reg_outputs.npy", registration)


def _stage(name, folder):
    logger.info("----------- %s", name)
    obey(name.lower(), folder)
    logger.info("----------- Total 0.01 sec.")


def _fields(db):
    """Return the lines of each field in a page."""
    return [slice(lines[0], lines[-1] + 1) for lines in db.get("lines", ())] or [slice(None)]


def _movie(folder, db):
    fields = _fields(db)
    field = fields[int(folder.name.removeprefix("plane")) % len(fields)]
    height, width = tifffile.imread(db["file_list"][0], key=0)[field].shape
    return np.fromfile(folder / "data.bin", np.int16).reshape(-1, height, width)


def _write_binaries(root, db):
    """Sort pages to planes by counting them all through, and give the frames of each file in a plane."""
    if (root / "plane0" / "data.bin").exists():
        return [len(_movie(root / "plane0", db)), *(0 for _ in db["file_list"][1:])]
    frames_per_file = []
    position = 0
    for path in db["file_list"]:
        pages = _pages(path)
        if path == db["file_list"][-1] and order()["do"] == "read too little":
            pages = pages[: -order()["pages"]]
        frames_per_file.append(0)
        for page in pages:
            frame, channel = divmod(position, db["nchannels"])
            plane = frame % db["nplanes"]
            if channel == 0:
                _append(root, plane, page.astype(np.int16), _fields(db))
                frames_per_file[-1] += plane == 0
            position += 1
        logger.info("%d frames of binary, time 0.01 sec.", position)
        obey("reading tifs", root / "plane0")
    return frames_per_file


def _pages(path):
    """Read all pages of a tif, batch by batch."""
    tif, num_pages = suite2p.io.tiff.open_tiff(path, True)
    batches = []
    while (
        batch := suite2p.io.tiff.read_tiff(path, tif, num_pages, sum(map(len, batches)), 10, True)
    ) is not None:
        batches.append(batch)
    return np.concatenate(batches)


def _append(root, plane, page, fields):
    for number, field in enumerate(fields, plane * len(fields)):
        folder = root / f"plane{number}"
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / "data.bin").open("ab") as file:
            file.write(page[field].tobytes())
