"""The column type ``<trace>``: one cell's row of an array that all cells of an analysis share."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from datajoint.codecs import Codec
from numpy.typing import NDArray

from imaging_pipeline.store import traces as trace_store


class Trace(Codec):
    """Stores ``{"object": name in the store, "row": number}`` and fetches that row as float32 (frames,)."""

    name = "trace"

    def get_dtype(self, is_store: bool) -> str:
        """Return the column type of the reference: json, whatever the store."""
        return "json"

    def encode(
        self,
        value: dict[str, Any],
        *,
        key: dict[str, Any] | None = None,
        context: dict[str, Any] | None = None,
        store_name: str | None = None,
    ) -> dict[str, Any]:
        """Return the reference as it is stored."""
        return {"object": str(value["object"]), "row": int(value["row"])}

    def decode(
        self, stored: Any, *, key: dict[str, Any] | None = None, context: dict[str, Any] | None = None
    ) -> NDArray[np.float32]:
        """Read the row: a few milliseconds, whatever the size of the array."""
        # MySQL's driver returns json as text, PostgreSQL's as values.
        reference = json.loads(stored) if isinstance(stored, str) else stored
        array = trace_store.read_array(reference["object"], self._codec_config(key, context))
        # A copy: a view of the row would keep the whole file mapped.
        return np.array(array[reference["row"]])
