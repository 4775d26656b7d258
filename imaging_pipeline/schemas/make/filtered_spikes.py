"""From the stored spikes of an analysis to those that stand out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from imaging_pipeline.analysis.spikes import filtered_spikes
from imaging_pipeline.schemas.make.stored_columns import number_or_null
from imaging_pipeline.schemas.plain_rows import Row
from imaging_pipeline.store import traces as trace_store

# Cells at a time, as in the import of their traces.
_BLOCK = 64


@dataclass(frozen=True)
class Filtered:
    """Rows of ``FilteredSpikes`` and its part, without their keys."""

    objects: dict[str, str]
    rows: list[Row]


def filter_spikes(folder: str, objects: Row, cell_ids: list[int], num_std: float) -> Filtered:
    """Filter the spikes of all cells of a session and write them to the store, if there are any."""
    if "spikes" not in objects.get("primary", {}):
        return Filtered({}, [])
    spikes = trace_store.read_array(objects["primary"]["spikes"])
    thresholds: list[float] = []
    num_invalid: list[int] = []

    # These come with the blocks, so they are complete only after all blocks are written.
    def blocks() -> Iterator[Mapping[str, NDArray[np.float32]]]:
        for start in range(0, len(spikes), _BLOCK):
            filtered = filtered_spikes(spikes[start : start + _BLOCK], num_std)
            thresholds.extend(filtered.thresholds.tolist())
            num_invalid.extend(filtered.num_invalid.tolist())
            yield {"filtered_spikes": filtered.spikes}

    stored = trace_store.write_arrays(folder, ("filtered_spikes",), spikes.shape, blocks())
    return Filtered(
        stored,
        [
            {
                "cell_id": cell_id,
                "spike_threshold": number_or_null(threshold),
                "num_invalid_spikes": invalid,
                "filtered_spikes": {"object": stored["filtered_spikes"], "row": number},
            }
            for number, (cell_id, threshold, invalid) in enumerate(
                zip(cell_ids, thresholds, num_invalid, strict=True)
            )
        ],
    )
