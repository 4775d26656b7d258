"""Regions as they lie in the database."""

import numpy as np
import pytest
from datajoint import blob

from imaging_pipeline.web.queries.regions import unpacked


@pytest.mark.parametrize("dtype", ["i4", "u2", "i8"])
@pytest.mark.parametrize("length", [0, 1, 150, 5000])
def test_pixels_are_read_as_datajoint_reads_them(dtype: str, length: int) -> None:
    stored = blob.pack(np.arange(length, dtype=dtype))
    expected = blob.unpack(stored, squeeze=False)
    for given in (stored, memoryview(stored)):
        np.testing.assert_array_equal(unpacked(given), expected, strict=True)
