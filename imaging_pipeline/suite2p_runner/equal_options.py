"""Whether two option sets mean the same run, whatever version of the pipeline wrote either of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from imaging_pipeline import names
from imaging_pipeline.errors import InputError
from imaging_pipeline.suite2p_runner.known_options import default_settings, flat
from imaging_pipeline.suite2p_runner.options import translate

# The tifs decide on these, whatever an option set states.
_FROM_TIFS = ("fs",)


def are_equal_options(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Return True if a run with either option set of Suite2p 1.x is the same run.

    An option that is stated as Suite2p's default is equal to one that is not stated, and what the tifs
    decide does not count. So sets stay equal when a version of the pipeline writes them otherwise.
    """
    try:
        if names.settings_hash(one) == names.settings_hash(other):
            return True
        return names.settings_hash(_meaning(one)) == names.settings_hash(_meaning(other))
    # Another version knew an option that this one does not know.
    except InputError:
        return False


def _meaning(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the value that a run takes for every option, by its dotted name."""
    translated = translate(options)
    settings = {**dict(flat(default_settings())), **dict(flat(translated.settings))}
    db = translated.db
    return {
        **{name: value for name, value in settings.items() if name not in _FROM_TIFS},
        "db.functional_chan": db.get("functional_chan") or 1,
        "db.ignore_flyback": sorted(db.get("ignore_flyback") or ()),
        "db.keep_movie_raw": bool(db.get("keep_movie_raw")),
    }
