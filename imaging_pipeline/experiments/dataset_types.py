"""Names of the dataset types that more than one room asks for; all of them are rows of ``DatasetType``."""

TIF = "tif"
SUITE2P_PYTHON = "suite2p_python"
