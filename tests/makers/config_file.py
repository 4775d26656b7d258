"""Configuration files, as an administrator writes them."""

from __future__ import annotations

import json
from pathlib import Path

from imaging_pipeline.config.config import Config


def write_config(config: Config, path: Path) -> Path:
    """Write a file that gives this configuration when it is read."""
    document: dict[str, object] = {
        "loglevel": config.loglevel,
        "safemode": config.safemode,
        "stores": config.datajoint_stores(),
        "custom": {
            "database.prefix": config.prefix,
            "repositories": {name: str(place) for name, place in config.repositories.items()},
            "timezone": config.timezone,
        },
    }
    if config.suite2p_scratch is not None:
        document["custom"] |= {"suite2p.scratch": str(config.suite2p_scratch)}
    if config.host is None:
        document["custom"] |= {"embedded.folder": str(config.embedded_folder)}
    else:
        document |= {
            "database.backend": config.backend,
            "database.host": config.host,
            "database.port": config.port,
            "database.user": config.user,
            "database.password": config.password.reveal(),
            "database.use_tls": False,
        }
    path.write_text(json.dumps(document), encoding="utf-8")
    return path
