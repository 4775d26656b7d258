"""Parameter sets of analyses."""

import datajoint as dj

from imaging_pipeline.schemas.imaging.schema import schema


@schema
class TrackingParams(dj.Lookup):
    """Smoothing of positions."""

    definition = """
    trackingparams_id : int32
    ---
    sigma_tracking : float64  # s, Gaussian over positions
    sigma_speed : float64  # s, Gaussian over speeds
    sigma_angle : float64  # s, Gaussian over head angles
    rotate : float64  # degrees, of the arena against the camera
    """
    contents = [
        {
            "trackingparams_id": 0,
            "sigma_tracking": 0.1,
            "sigma_speed": 0.2,
            "sigma_angle": 0.1,
            "rotate": 0.0,
        },
    ]


@schema
class BaselineParams(dj.Lookup):
    """How the baseline F0 of a trace is found; the newest set holds for new analyses."""

    definition = """
    baseline_params_id : int32
    ---
    baseline_percentile : float64  # percentile of the corrected fluorescence, 0 to 100
    baseline_window_s : float64  # s, width of the running window
    """
    contents = [
        {"baseline_params_id": 0, "baseline_percentile": 8.0, "baseline_window_s": 60.0},
    ]


@schema
class SpikeFilterParams(dj.Lookup):
    """Which deconvolved spikes are kept; all sets are computed, and the viewer shows the newest."""

    definition = """
    spike_filter_id : int32
    ---
    spike_std : float64  # standard deviations above the mean of the cell's own spikes
    spikefilterparams_comment="" : varchar(255)
    """
    contents = [
        {"spike_filter_id": 0, "spike_std": 2.0, "spikefilterparams_comment": "usual"},
    ]


@schema
class Suite2pyOps(dj.Manual):
    """Suite2p option sets by name; a set in use is never changed, another name is given instead."""

    definition = """
    ops_name : varchar(64)
    ---
    ops : json  # the set as it was given
    ops_settings : json  # the same as settings of Suite2p 1.x, only what differs from default
    ops_not_carried : json  # what Suite2p 1.x has no place for, with the reason
    ops_hash : varchar(16)  # of ops_settings: equal sets have equal hashes
    suite2pyops_entry_time=CURRENT_TIMESTAMP(6) : datetime(6)
    """
