"""Names of the dataset types that several packages use; all of them are rows of ``DatasetType``."""

TIF = "tif"
TIF_PREPROCESSED = "tif_preprocessed"
TRACKING_PREPROCESSED = "tracking_preprocessed"
INTERMEDIATE = "intermediate"
SESSION_JSON = "session_json"
DLC = "dlc"
DLC_FILTERED = "dlc_filtered"
MESC = "mesc"
BAD_FRAMES = "bad_frames"
SUITE2P_PYTHON = "suite2p_python"
SUITE2P_MATLAB = "suite2p_matlab"

# What the table ``Tif`` reads.
TIFS = (TIF, TIF_PREPROCESSED)
# The motion of these was corrected before they were registered.
MOTION_CORRECTED = (TIF_PREPROCESSED,)
