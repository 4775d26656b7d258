"""Names of the dataset types that more than one room asks for; all of them are rows of ``DatasetType``."""

TIF = "tif"
TIF_PREPROCESSED = "tif_preprocessed"
TRACKING_PREPROCESSED = "tracking_preprocessed"
INTERMEDIATE = "intermediate"
SESSION_JSON = "session_json"
DLC = "dlc"
MESC = "mesc"
SUITE2P_PYTHON = "suite2p_python"
SUITE2P_MATLAB = "suite2p_matlab"

# What the table ``Tif`` reads.
TIFS = (TIF, TIF_PREPROCESSED)
# Of these every frame was moved into its place before it was registered.
MOTION_CORRECTED = (TIF_PREPROCESSED,)
