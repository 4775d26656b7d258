"""Which kind of measurement a unit of a ``.mesc`` file is."""

from __future__ import annotations

from imaging_pipeline.readers.mesc.unit import Unit

TIME_SERIES = "time series"
_Z_STACK = "z-stack"

_METHODS = {1: TIME_SERIES, 2: _Z_STACK, 6: "line scan"}
_ROLES = {0: TIME_SERIES, 3: _Z_STACK}
# What the third axis is called, and what it is measured in.
_AXIS_WORDS = {"t": TIME_SERIES, "ms": TIME_SERIES, "z": _Z_STACK, "µm": _Z_STACK, "um": _Z_STACK}
_AXIS_WORDS["μm"] = _Z_STACK


def kind_of(unit: Unit) -> str:
    """Return the kind in words.

    Newer files say it (``MethodType``); of older ones the third axis tells it, by its role or by its
    title or unit.

    Raises
    ------
    FormatError
        A number is none.
    """
    if "MethodType" in unit.attributes:
        method = int(unit.number("MethodType"))
        return _METHODS.get(method, f"measurement of the method {method}")
    if "ZAxisGeomRole" in unit.attributes:
        role = int(unit.number("ZAxisGeomRole"))
        return _ROLES.get(role, f"measurement whose third axis has the role {role}")
    for attribute in ("ZAxisConversionTitle", "ZAxisConversionUnitName"):
        word = unit.text(attribute).strip()
        if word in _AXIS_WORDS:
            return _AXIS_WORDS[word]
    return "measurement that does not say what its third axis is"
