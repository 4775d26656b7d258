"""Output folders as Suite2p 0.14 and 1.1 write them, without running Suite2p.

Keys, shapes and dtypes are those of the real programs; what is in the arrays is drawn from a seed. What the
generations have in common, and not:

- ``combined`` never has the second channel's traces, only ``redcell.npy``; ``F_chan2.npy`` and
  ``Fneu_chan2.npy`` stay in the planes. 0.14.6 fails to combine one channel and leaves the planes alone.
- Of a plane that it is told to leave out, only the description is there. 0.x counts it in ``iplane`` and
  keeps its place on the canvas, 1.x does neither.
- Suite2p stops at a plane without ROIs: 0.x leaves ``ops.npy`` alone, 1.x ``db.npy``, ``settings.npy`` and
  ``reg_outputs.npy``. Files with arrays of no rows are the pipeline's own (``num_rois=0``).
- 0.x writes offsets as int32, ``neuropil_mask`` and ``solidity`` of each ROI and no ``snr``; 0.10 also its
  registration blocks as lists of arrays, ``Vmap`` as a list, and ``classifier_path`` 0.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from tests.makers.options_0x import default_ops

HEIGHT, WIDTH = 48, 64
Y_RANGE, X_RANGE = [2, 47], [1, 62]

SETTINGS_1X = {
    "torch_device": "cpu",
    "tau": 1.0,
    "fs": 10.0,
    "diameter": [12.0, 12.0],
    "run": {"do_registration": 1, "do_detection": True, "do_deconvolution": True},
    "io": {"combined": True, "save_mat": False, "save_ops_orig": True, "delete_bin": False},
    "registration": {"nonrigid": False, "batch_size": 100, "block_size": (128, 128), "nimg_init": 400},
    "detection": {
        "algorithm": "sparsery",
        "threshold_scaling": 1.0,
        "max_overlap": 0.75,
        "sparsery_settings": {"spatial_scale": 0, "max_ROIs": 5000},
    },
    "classification": {"classifier_path": None, "use_builtin_classifier": True, "preclassify": 0.0},
    "extraction": {"neuropil_coefficient": 0.7, "batch_size": 500},
    "dcnv_preprocess": {"baseline": "maximin", "win_baseline": 60.0},
    "version": "1.1.0",
}

OPTIONS_0X = default_ops("0.14.6") | {"diameter": 12, "nonrigid": False, "input_format": "tif"}


@dataclass(frozen=True)
class Suite2pSpec:
    """What to write.

    ``is_cell`` is a person's curation, in the order of each plane's ROIs. Where pages have several fields,
    ``num_planes`` counts them all: so many ``planeK`` there are. ``frames_of_planes`` has the frames of each
    file for each plane of a volume, where they differ.
    """

    generation: Literal["0.x", "1.x"] = "1.x"
    num_planes: int = 1
    num_fields: int = 1
    combined: bool = True
    num_rois: int = 5
    file_list: Sequence[str] = ("90218-openfield1m_00001_00001.tif",)
    frames_per_file: Sequence[int] = (60,)
    frames_of_planes: Sequence[Sequence[int]] | None = None
    frame_px: tuple[int, int] = (HEIGHT, WIDTH)
    is_cell: Sequence[bool] | None = None
    num_channels: int = 1
    flyback_planes: Sequence[int] = ()
    nonrigid: bool = False
    registered: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def of_plane(self, number: int) -> "Suite2pSpec":
        """Return the same with the frames that the files gave to a plane."""
        if self.frames_of_planes is None:
            return self
        return replace(self, frames_per_file=self.frames_of_planes[number // self.num_fields])

    @property
    def num_frames(self) -> int:
        return sum(self.frames_per_file)


def write_output(root: Path, spec: Suite2pSpec = Suite2pSpec()) -> Path:
    """Write ``planeK`` and, for several planes, ``combined`` below ``root``, which is given back."""
    planes = [_Plane(spec.of_plane(plane), plane) for plane in range(spec.num_planes)]
    for plane in planes:
        folder = root / f"plane{plane.number}"
        folder.mkdir(parents=True)
        plane.write_description(folder)
        if plane.number not in spec.flyback_planes:
            plane.write_arrays(folder)
    kept = [plane for plane in planes if plane.number not in spec.flyback_planes]
    if spec.generation == "1.x":
        np.save(root / "db.npy", planes[0].asked_1x)
        np.save(root / "settings.npy", planes[0].settings_1x)
    if spec.combined and spec.num_planes > 1:
        _write_combined(root / "combined", spec, planes if spec.generation == "0.x" else kept)
    return root


def look_at_planes(root: Path) -> None:
    """Leave what Suite2p's window does when it shows planes together that were not merged: their labels."""
    (root / "combined").mkdir()
    labels = [np.load(path) for path in sorted(root.glob("plane*/iscell.npy"))]
    np.save(root / "combined" / "iscell.npy", np.concatenate(labels))


def curate(plane_folder: Path, is_cell: Sequence[bool]) -> None:
    """Change which ROIs are cells, as Suite2p's window does: float64 (N, 2), the probabilities stay."""
    labels = np.load(plane_folder / "iscell.npy")
    labels[:, 0] = is_cell
    np.save(plane_folder / "iscell.npy", labels)


class _Plane:
    def __init__(self, spec: Suite2pSpec, number: int) -> None:
        random = np.random.default_rng([spec.seed, number])
        self.spec, self.number = spec, number
        shape = (spec.num_rois, spec.num_frames)
        self.fluo = random.normal(500, 40, shape).astype(np.float32)
        self.neuropil = random.normal(200, 10, shape).astype(np.float32)
        self.spikes = random.exponential(3, shape).astype(np.float32)
        self.stat = np.array([_stat(random, spec) for _ in range(spec.num_rois)], dtype=object)
        self.labels = np.column_stack([np.ones(spec.num_rois), random.uniform(0.5, 1, spec.num_rois)])
        if spec.is_cell is not None:
            self.labels[:, 0] = spec.is_cell
        self.red = np.column_stack([np.zeros(spec.num_rois), np.full(spec.num_rois, 0.125)]).astype(
            np.float32
        )
        self.registration = _registration(random, spec)
        self.mean_image = self.registration["meanImg"].astype(np.float64)
        if not spec.registered:
            self.registration = {name: self.registration[name] for name in ("yrange", "xrange", "badframes")}
        self.detection = _detection(random, spec)

    @property
    def _recording(self) -> dict[str, Any]:
        spec = self.spec
        return {
            "nplanes": spec.num_planes // spec.num_fields,
            "nrois": spec.num_fields,
            "nchannels": spec.num_channels,
            "functional_chan": 1,
            "ignore_flyback": list(spec.flyback_planes),
            "keep_movie_raw": False,
            "data_path": ["/data/experiment"],
            "save_path0": "/data/experiment",
            "Ly": spec.frame_px[0],
            "Lx": spec.frame_px[1],
            "nframes": spec.num_frames,
            "frames_per_file": np.array(spec.frames_per_file, dtype=int),
            "frames_per_folder": np.array([spec.num_frames], "i4" if spec.generation == "0.x" else "i8"),
            "save_path": f"/data/experiment/suite2p/plane{self.number}",
            "reg_file": f"/data/experiment/suite2p/plane{self.number}/data.bin",
            "meanImg": self.mean_image,
        }

    @property
    def asked_1x(self) -> dict[str, Any]:
        """Return what a run is asked for, before anything is read."""
        spec = self.spec
        return {
            **dict.fromkeys(("lines", "dx", "dy", "subfolders")),
            **{"input_format": "tif", "swap_order": False, "batch_size": 500},
            **{"nplanes": spec.num_planes // spec.num_fields, "nrois": spec.num_fields},
            **{"nchannels": spec.num_channels, "functional_chan": 1},
            "file_list": [f"/data/experiment/{name}" for name in spec.file_list],
            "first_files": _first(spec),
            "ignore_flyback": list(spec.flyback_planes),
        }

    @property
    def recording_1x(self) -> dict[str, Any]:
        return self.asked_1x | self._recording | {"iplane": np.int64(self.number)}

    @property
    def settings_1x(self) -> dict[str, Any]:
        registration = SETTINGS_1X["registration"] | {"nonrigid": self.spec.nonrigid}
        return SETTINGS_1X | {"registration": registration} | dict(self.spec.settings)

    @property
    def options_0x(self) -> dict[str, Any]:
        files = [f"F:\\experiment\\{name}" for name in self.spec.file_list]
        date = datetime.datetime(2021, 3, 4, 5, 6, tzinfo=datetime.UTC)
        chosen = OPTIONS_0X | {"nonrigid": self.spec.nonrigid} | dict(self.spec.settings)
        found = {"filelist": files, "first_tiffs": _first(self.spec), "date_proc": date}
        return chosen | self._recording | found | {"timing": {"registration": 21.5}}

    def write_description(self, folder: Path) -> None:
        if self.spec.generation == "0.x":
            np.save(folder / "ops.npy", self.options_0x | self.registration | self.detection)
            return
        np.save(folder / "db.npy", self.recording_1x)
        np.save(folder / "settings.npy", self.settings_1x)
        np.save(folder / "reg_outputs.npy", self.registration)
        np.save(folder / "detect_outputs.npy", self.detection)
        np.save(folder / "ops.npy", self.recording_1x | self.settings_1x | self.registration | self.detection)
        np.save(folder / "zcorr.npy", np.zeros(0))

    def write_arrays(self, folder: Path) -> None:
        arrays = {"F": self.fluo, "Fneu": self.neuropil, "spks": self.spikes}
        if self.spec.num_channels == 2:
            arrays |= {"F_chan2": self.fluo / 2, "Fneu_chan2": self.neuropil / 2, "redcell": self.red}
        for name, array in (arrays | {"stat": self.stat, "iscell": self.labels}).items():
            np.save(folder / f"{name}.npy", array)


def _write_combined(folder: Path, spec: Suite2pSpec, planes: Sequence[_Plane]) -> None:
    folder.mkdir()
    last = planes[-1]
    height, width = spec.frame_px
    columns = int(np.ceil(np.sqrt(height * width * len(planes)) / width))
    rows = -(-len(planes) // columns)
    canvas = {"Ly": rows * height, "Lx": columns * width}
    canvas |= {"yrange": [0, canvas["Ly"]], "xrange": [0, canvas["Lx"]]}
    second = (name for name in last.registration if name.startswith("meanImg_chan2"))
    for name in ("meanImg", "meanImgE", "Vcorr", "max_proj", *second):
        canvas[name] = np.zeros((canvas["Ly"], canvas["Lx"]))
    kept = [plane for plane in planes if plane.number not in spec.flyback_planes]
    stats = []
    for plane in kept:
        index = planes.index(plane)
        y, x = index // columns * height, index % columns * width
        canvas["meanImg"][y : y + height, x : x + width] = plane.registration["meanImg"]
        for stat in plane.stat:
            moved = {"ypix": stat["ypix"] + y, "xpix": stat["xpix"] + x, "iplane": index}
            stats.append(stat | moved | {"med": [stat["med"][0] + y, stat["med"][1] + x]})
    if spec.generation == "0.x":
        np.save(folder / "ops.npy", last.options_0x | last.registration | canvas)
    else:
        np.save(folder / "db.npy", last.recording_1x | last.registration | last.detection | canvas)
        np.save(folder / "settings.npy", last.settings_1x)
    arrays = {"F": "fluo", "Fneu": "neuropil", "spks": "spikes", "iscell": "labels"}
    if spec.num_channels == 2:
        arrays["redcell"] = "red"
    num_frames = max(plane.spec.num_frames for plane in kept)
    for name, attribute in arrays.items():
        merged = [getattr(plane, attribute) for plane in kept]
        if name in ("F", "Fneu", "spks"):
            # Planes that lack a frame get zeros.
            merged = [np.pad(each, ((0, 0), (0, num_frames - each.shape[1]))) for each in merged]
        np.save(folder / f"{name}.npy", np.concatenate(merged))
    np.save(folder / "stat.npy", np.array(stats, dtype=object))


def _first(spec: Suite2pSpec) -> np.ndarray:
    return np.arange(len(spec.file_list)) == 0


def _stat(random: np.random.Generator, spec: Suite2pSpec) -> dict[str, Any]:
    # In small frames, too, the margins leave a place for the middle.
    margins = [min(8, (side - 1) // 2) for side in spec.frame_px]
    y, x = (
        random.integers(margin, side - margin) for margin, side in zip(margins, spec.frame_px, strict=True)
    )
    dy, dx = np.mgrid[-3:4, -3:4]
    inside = (dy**2 + dx**2 <= 9) & (y + dy >= 0) & (y + dy < spec.frame_px[0])
    inside &= (x + dx >= 0) & (x + dx < spec.frame_px[1])
    ypix, xpix = (y + dy[inside]).astype(np.int64), (x + dx[inside]).astype(np.int64)
    own = {"snr": np.float32(0.8)}
    if spec.generation == "0.x":
        own = {"solidity": np.float64(1.2), "neuropil_mask": np.arange(350)}
    soma = (ypix - y) ** 2 + (xpix - x) ** 2 <= 4
    return {
        "ypix": ypix,
        "xpix": xpix,
        "lam": random.uniform(1, 5, ypix.size).astype(np.float32),
        "med": [int(y), int(x)],
        "footprint": np.float64(1.0),
        "npix": ypix.size,
        "soma_crop": soma,
        "npix_soma": soma.sum(),
        "mrs": np.float32(0.35),
        "mrs0": np.float64(0.34),
        "compact": np.float64(1.03),
        "radius": np.float64(3.2),
        "aspect_ratio": np.float64(1.1),
        "npix_norm": np.float32(0.9),
        "npix_norm_no_crop": np.float32(1.0),
        "overlap": np.zeros(ypix.size, dtype=bool),
        **own,
        "skew": np.float32(random.uniform(1, 4)),
        "std": np.float32(40.0),
    }


def _registration(random: np.random.Generator, spec: Suite2pSpec) -> dict[str, Any]:
    frames = spec.num_frames
    offsets = np.int32 if spec.generation == "0.x" else np.int64
    image = random.normal(300, 50, spec.frame_px).astype(np.float32)
    outputs = {
        "refImg": image.astype(np.int16),
        "rmin": np.int16(189),
        "rmax": np.int16(455),
        "yoff": random.integers(-2, 3, frames).astype(offsets),
        "xoff": random.integers(-2, 3, frames).astype(offsets),
        "corrXY": random.uniform(0.01, 0.05, frames).astype(np.float32),
        "meanImg": image,
        "meanImgE": (image / 500).astype(np.float32),
        "badframes": np.zeros(frames, dtype=bool),
        "yrange": _valid(spec, Y_RANGE, 0),
        "xrange": _valid(spec, X_RANGE, 1),
        "bidiphase": 0.0,
    }
    if spec.nonrigid:
        outputs |= {
            name: random.normal(0, 0.5, (frames, 4)).astype(np.float32)
            for name in ("yoff1", "xoff1", "corrXY1")
        }
    if spec.num_channels == 2:
        outputs["meanImg_chan2"] = image / 3
    if spec.num_channels == 2 and spec.generation == "0.x":
        outputs["meanImg_chan2_corrected"] = image / 4
    return outputs


def _valid(spec: Suite2pSpec, usual: list[int], axis: int) -> list[int]:
    side = spec.frame_px[axis]
    return usual if side == (HEIGHT, WIDTH)[axis] else [1, side - 1]


def _detection(random: np.random.Generator, spec: Suite2pSpec) -> dict[str, Any]:
    valid = tuple(end - first for first, end in (_valid(spec, Y_RANGE, 0), _valid(spec, X_RANGE, 1)))
    maps = np.empty(2, dtype=object)
    maps[:] = [np.zeros((24, 32)), np.zeros((12, 16))]
    return {
        "Vcorr": random.uniform(0, 1, valid),
        "max_proj": random.uniform(0, 900, valid).astype(np.float32),
        "Vmap": maps,
        **{name: random.uniform(0, 1, 5000) for name in ("Vmax", "ihop", "Vsplit")},
        "spatscale_pix": 6,
    }
