"""The stores of the configuration, in DataJoint's own spelling.

The attributes are those that DataJoint 2.3 takes for each protocol. What could be a credential becomes a
`Secret`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from imaging_pipeline.choices import near
from imaging_pipeline.config.kinds import NotAllowedError, Secret, a_folder, a_text, an_object

Store = Mapping[str, object]
Stores = Mapping[str, str | Store]

_ANY_STORE = frozenset(
    ("protocol", "location", "subfolding", "partition_pattern", "token_length")
    + ("hash_prefix", "schema_prefix", "filepath_prefix", "stage")
)


@dataclass(frozen=True)
class _Protocol:
    """The attributes that a protocol takes beside those of any store; what is ``secret`` is never shown."""

    required: frozenset[str]
    optional: frozenset[str]
    secret: frozenset[str]

    @property
    def attributes(self) -> frozenset[str]:
        return _ANY_STORE | self.required | self.optional | self.secret


def _protocol(required: str, optional: str = "", secret: str = "") -> _Protocol:
    return _Protocol(frozenset(required.split()), frozenset(optional.split()), frozenset(secret.split()))


PROTOCOLS = {
    "file": _protocol("location"),
    "s3": _protocol("endpoint bucket location", "secure", "access_key secret_key proxy_server"),
    "gcs": _protocol("bucket location", "project", "token"),
    "azure": _protocol("container location", "", "account_name account_key connection_string"),
}

PIPELINE_STORE = "main"
"""The store that the tables' definitions name."""

# Keys of the block that are no stores: they name one.
_NAMES = ("default", "filepath_default")


def parse_stores(value: object) -> Stores:
    """Check the ``stores`` block.

    Parameters
    ----------
    value
        ``{"default": NAME, NAME: {"protocol": …, "location": …}, …}``. With a single store ``default`` may
        be left out.

    Returns
    -------
    Stores
        The same, with ``default``, and with a `Secret` for every credential.

    Raises
    ------
    NotAllowedError
        The block is wrong; the message says what is allowed.
    """
    block = an_object(value)
    stores: dict[str, str | Store] = {
        name: _parse_store(name, spec) for name, spec in block.items() if name not in _NAMES
    }
    if not stores:
        raise NotAllowedError(
            'at least one store, such as {"main": {"protocol": "file", "location": "/data/store"}}'
        )
    if PIPELINE_STORE not in stores:
        raise NotAllowedError(f"a store named {PIPELINE_STORE!r}, which holds the pipeline's arrays")
    names = tuple(stores)
    if "default" not in block and len(names) == 1:
        stores["default"] = names[0]
    # DataJoint would notice a wrong name only when the store is used.
    for key in _NAMES:
        if key in block or (key == "default" and key not in stores):
            stores[key] = _one_of_the_stores(key, block.get(key), names)
    return stores


def _one_of_the_stores(key: str, name: object, names: tuple[str, ...]) -> str:
    if name not in names:
        raise NotAllowedError(f"for {key!r}: the name of one of the stores ({', '.join(names)})")
    return str(name)


def _parse_store(name: str, spec: object) -> Store:
    if not isinstance(spec, dict):
        raise NotAllowedError(f'for {name!r}: an object with "protocol" and "location"')
    protocol_name = spec.get("protocol")
    protocol = PROTOCOLS.get(protocol_name) if isinstance(protocol_name, str) else None
    if protocol is None:
        raise NotAllowedError(f'for {name!r}: a "protocol" that is one of {", ".join(PROTOCOLS)}')
    for attribute in spec:
        if attribute not in protocol.attributes:
            alike = near(attribute, protocol.attributes, count=1)
            hint = f"; the nearest to {attribute!r} is {alike[0]}" if alike else f", not {attribute!r}"
            raise NotAllowedError(f"for {name!r}: {', '.join(sorted(protocol.attributes))}{hint}")
    missing = sorted(protocol.required - set(spec))
    if missing:
        raise NotAllowedError(f"for {name!r}: also {', '.join(missing)}")
    try:
        return {
            attribute: _parse_attribute(attribute, spec[attribute], protocol, protocol_name)
            for attribute in spec
        }
    except NotAllowedError as error:
        raise NotAllowedError(f"for {name!r}: {error}") from None


def _parse_attribute(attribute: str, value: object, protocol: _Protocol, name: object) -> object:
    if attribute in protocol.secret:
        return Secret(a_text(value))
    # In a bucket the location is no folder, but a path within it.
    if attribute == "location" and name == "file":
        return str(a_folder(value))
    if attribute in protocol.required:
        return a_text(value)
    return value


def file_store(folder: Path) -> Stores:
    """Return a block with one store, ``main``, in a folder."""
    return {"default": "main", "main": {"protocol": "file", "location": str(folder)}}


def revealed(stores: Stores) -> dict[str, object]:
    """Return the block for DataJoint: plain dicts, with credentials in plain text."""
    return {
        name: spec
        if isinstance(spec, str)
        else {key: value.reveal() if isinstance(value, Secret) else value for key, value in spec.items()}
        for name, spec in stores.items()
    }
