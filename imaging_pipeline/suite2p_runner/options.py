"""Option sets for Suite2p: loaded, checked, and translated to the options of Suite2p 1.x.

A lab has flat sets that the window of Suite2p 0.x saved, and nested ones of 1.x. Suite2p itself ignores
keys that it does not know; here they are refused. Options of an old set that 1.x lacks are listed with the
reason.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging_pipeline import strict_json
from imaging_pipeline.errors import FormatError, InputError, NothingFoundError, PipelineError, Responsible
from imaging_pipeline.printable import short_repr
from imaging_pipeline.readers.npy.file import load_dictionary
from imaging_pipeline.readers.suite2p.metadata import NOT_OPTIONS, SETTINGS_GROUPS, Generation, plain
from imaging_pipeline.suite2p_runner.known_options import (
    conform,
    db_1x,
    flat,
    groups_1x,
    ops_0x,
    put,
    settings_1x,
    unknown_options,
)
from imaging_pipeline.suite2p_runner.options_0x import Translated, is_known_0x, translate_0x

CARRIED_DB = ("nplanes", "nchannels", "functional_chan", "ignore_flyback", "keep_movie_raw")
_OTHER_DB = "The pipeline chooses which files are read, how, and where the output goes."
NO_OPTION = "It is a place, a version or a result of a run, not an option."

# A whole ``ops.npy`` of 10,000 tifs has some 30,000.
_MAX_ELEMENTS = 100_000

# In an output of 1.x, what registration found stands beside the groups under the name of an old option.
_RESULTS_1X = ("bidiphase",)


@dataclass(frozen=True)
class OptionSet:
    """A set of options under the names of Suite2p 1.x.

    Attributes
    ----------
    settings
        What the set changes, in nested groups; all else keeps Suite2p's default.
    db
        The options of the set that describe the recording (``nplanes``, ``nchannels``, ``functional_chan``,
        ``ignore_flyback``, ``keep_movie_raw``), as far as it has them.
    generation
        Which Suite2p the set was written for.
    not_carried
        Each key of the set that has no effect, and why.
    """

    settings: Mapping[str, Any]
    db: Mapping[str, Any]
    generation: Generation
    not_carried: Mapping[str, str]

    @property
    def content(self) -> dict[str, Any]:
        """Settings and recording in one mapping, which `translate` takes again; it is stored and compared."""
        return {**self.settings, **{key: value for key, value in self.db.items() if value is not None}}


def load_options(path: Path) -> Mapping[str, Any]:
    """Load an option set as Suite2p's window saves it (``.npy``), or as a JSON object, and check it.

    Raises
    ------
    NothingFoundError
        The file is not there.
    InputError
        It is of another kind, holds no dictionary, or one that `translate` refuses.
    UnsafeContentError
        The ``.npy`` file holds more than plain values and arrays.
    FormatError
        It is damaged.
    """
    try:
        options = _loaded(path)
        translate(options)
    except PipelineError as error:
        raise error.of(path, Responsible.ADMINISTRATOR) from error
    return options


def _loaded(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise NothingFoundError("The Suite2p option set is not there", remedy="Correct the path.")
    match path.suffix.lower():
        case ".npy":
            options = load_dictionary(path, _MAX_ELEMENTS)
        case ".json":
            options = _load_json(path)
        case suffix:
            raise InputError(
                "An option set is a file of another kind",
                found=suffix or "no suffix",
                allowed=".npy or .json",
                remedy="Save the options from Suite2p's window.",
            )
    if not isinstance(options, Mapping):
        raise InputError(
            "A file holds no option set",
            found=type(options).__name__,
            allowed="a dictionary of options",
            remedy="Save the options from Suite2p's window again.",
        )
    return options


def _load_json(path: Path) -> Any:
    try:
        # Windows editors put a byte-order mark first.
        return strict_json.loads(path.read_text(encoding="utf-8-sig"))
    except strict_json.DuplicateKeyError as error:
        raise FormatError(
            "An option set gives a key twice", found=error.key, remedy="Remove one of the two."
        ) from error
    except ValueError as error:
        raise FormatError(
            "An option set is no JSON", found=error, allowed='{"tau": 1.5, …}', remedy="Correct the file."
        ) from error


def translate(options: Mapping[str, Any]) -> OptionSet:
    """Translate an option set of either generation to the options of Suite2p 1.x.

    Every key is carried over, or named in ``not_carried`` with the reason.

    Raises
    ------
    InputError
        A key is unknown to Suite2p (the error has similar ones), or a value is of the wrong kind.
    """
    stated = {str(key): plain(value) for key, value in options.items() if key not in NOT_OPTIONS}
    _refuse_unstorable(stated)
    _require_groups(stated)
    no_options = {key: NO_OPTION for key in options if key in NOT_OPTIONS}
    generation = _generation(stated)
    translated = translate_0x(stated) if generation == "0.x" else _translate_1x(stated)
    settings: dict[str, Any] = {}
    db: dict[str, Any] = {}
    # Errors name an option as the set itself does.
    written = {name: key for key, name in ops_0x()["carried"].items()} if generation == "0.x" else {}
    for name, value in translated.values.items():
        if name.startswith("db."):
            key = name.removeprefix("db.")
            db[key] = conform(key, value, db_1x()[key][0])
        else:
            kind = settings_1x()[name][0]
            put(settings, name, conform(name, value, kind, written=written.get(name, "")))
    return OptionSet(settings, db, generation, {**no_options, **translated.not_carried})


def _refuse_unstorable(options: Mapping[str, Any]) -> None:
    """Refuse values that no database takes as JSON."""
    for name, value in flat(options):
        if not strict_json.is_storable([name, value]):
            raise InputError(
                f"The Suite2p option {name!r} has a value that cannot be kept",
                found=short_repr(value),
                allowed="finite numbers, and characters that can be written",
                remedy="Correct the option set.",
            )


def _require_groups(options: Mapping[str, Any]) -> None:
    for name, value in flat(options):
        if name in groups_1x():
            raise InputError(
                f"{name} of Suite2p is a group of settings, and no setting",
                found=short_repr(value),
                allowed=f'{{"{name.rpartition(".")[2]}": {{…}}}}',
                remedy="Put the settings of the group between { and }.",
            )


def _generation(options: Mapping[str, Any]) -> Generation:
    """Return 0.x if a set has a flat key that only 0.x knows, and no nested group."""
    if any(isinstance(options.get(group), Mapping) for group in SETTINGS_GROUPS):
        return "1.x"
    known = {*db_1x(), *(name for name in settings_1x() if "." not in name)}
    is_old = any(is_known_0x(key) for key in options if key not in known)
    return "0.x" if is_old else "1.x"


def _translate_1x(options: Mapping[str, Any]) -> Translated:
    values: dict[str, Any] = {}
    not_carried: dict[str, str] = {}
    unknown: list[str] = []
    for name, value in flat(options):
        if name in settings_1x():
            values[name] = value
        elif name in CARRIED_DB:
            values[f"db.{name}"] = value
        elif name in db_1x():
            not_carried[name] = _OTHER_DB
        elif name in _RESULTS_1X:
            not_carried[name] = NO_OPTION
        else:
            unknown.append(name)
    if unknown:
        raise unknown_options(unknown, (*settings_1x(), *db_1x(), *sorted(groups_1x())))
    return Translated(values, not_carried)
