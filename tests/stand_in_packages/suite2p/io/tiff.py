"""Reading tifs, as the real one does it where nobody replaces these: by what tifffile takes for pages."""

import numpy as np
import tifffile


def open_tiff(file, sktiff):
    """Return the open tif, and the number of its pages."""
    tif = tifffile.TiffFile(file)
    return tif, len(tif.pages)


def read_tiff(file, tif, num_pages, first, batch_size, use_sktiff):
    """Return pages as int16, or None behind the last."""
    if first >= num_pages:
        return None
    pages = tifffile.imread(file, key=range(first, min(first + batch_size, num_pages)))
    return np.atleast_3d(pages.astype(np.int16)).reshape(-1, *pages.shape[-2:])
