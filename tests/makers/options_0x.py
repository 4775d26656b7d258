"""The flat options of Suite2p 0.x: what ``default_ops()`` gives in each generation of it."""

from typing import Any

VERSIONS = ("0.10.3", "0.11.1", "0.12.0", "0.13.1", "0.14.0", "0.14.6")

_PLACES = {
    **{"look_one_level_down": False, "fast_disk": [], "save_path0": "", "save_folder": [], "subfolders": []},
    **{"mesoscan": False, "bruker": False, "bruker_bidirectional": False, "force_sktiff": False},
    **{"h5py": [], "h5py_key": "data", "nwb_file": "", "nwb_driver": "", "nwb_series": ""},
    **{"delete_bin": False, "move_bin": False, "save_mat": False, "save_NWB": False, "combined": True},
}
_RECORDING = {
    **{"nplanes": 1, "nchannels": 1, "functional_chan": 1, "tau": 1.0, "fs": 10.0, "aspect": 1.0},
    **{"frames_include": -1, "ignore_flyback": [], "keep_movie_raw": False, "multiplane_parallel": False},
}
_REGISTRATION = {
    **{"do_registration": True, "two_step_registration": False, "nimg_init": 300, "batch_size": 500},
    **{"do_bidiphase": False, "bidiphase": 0, "bidi_corrected": False, "align_by_chan": 1},
    **{"maxregshift": 0.1, "reg_tif": False, "reg_tif_chan2": False, "subpixel": 10},
    **{"smooth_sigma_time": 0, "smooth_sigma": 1.15, "th_badframes": 1.0, "norm_frames": True},
    **{"force_refImg": False, "pad_fft": False, "nonrigid": True, "block_size": [128, 128]},
    **{"snr_thresh": 1.2, "maxregshiftNR": 5},
    **{"1Preg": False, "spatial_hp_reg": 42, "pre_smooth": 0, "spatial_taper": 40},
}
_DETECTION = {
    **{"roidetect": True, "spikedetect": True, "sparse_mode": True, "spatial_scale": 0, "connected": True},
    **{"nbinned": 5000, "max_iterations": 20, "threshold_scaling": 1.0, "max_overlap": 0.75},
    **{"high_pass": 100, "spatial_hp_detect": 25, "denoise": False, "soma_crop": True, "diameter": 0},
    **{"anatomical_only": 0, "cellprob_threshold": 0.0, "flow_threshold": 0.4, "spatial_hp_cp": 0},
    **{"pretrained_model": "cpsam", "chan2_thres": 0.65},
    **{"preclassify": 0.0, "use_builtin_classifier": False, "classifier_path": ""},
}
_EXTRACTION = {
    **{"neuropil_extract": True, "inner_neuropil_radius": 2, "min_neuropil_pixels": 350},
    **{"lam_percentile": 50.0, "allow_overlap": False, "neucoeff": 0.7},
    **{"baseline": "maximin", "win_baseline": 60.0, "sig_baseline": 10.0, "prctile_baseline": 8.0},
}

# How earlier versions differ from the next; None for a key that they lack.
_BEFORE: dict[str, dict[str, Any]] = {
    "0.14.6": {},
    "0.14.0": {"flow_threshold": 1.5, "pretrained_model": "cyto"},
    "0.13.1": {"save_path0": []},
    "0.12.0": {},
    "0.11.1": {"classifier_path": 0, "do_registration": 1, "spatial_hp": 42},
    "0.10.3": {"pretrained_model": None, "spatial_hp_cp": None},
}


def default_ops(version: str) -> dict[str, Any]:
    """Return the options that a version starts with."""
    options = _PLACES | _RECORDING | _REGISTRATION | _DETECTION | _EXTRACTION | {"suite2p_version": version}
    for step, earlier in _BEFORE.items():
        options |= earlier
        if step == version:
            break
    return {key: value for key, value in options.items() if value is not None}
