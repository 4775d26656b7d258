"""Workers that give signs of life."""

from __future__ import annotations

from imaging_pipeline.schemas.tables import Tables

# Six times as long as a worker takes from one heartbeat to the next.
_SILENT_S = 60


def living_hosts(tables: Tables, lane: str) -> tuple[str, ...]:
    """Give the machines on which workers of a lane run, by the server's clock."""
    worker = tables.imaging.Worker
    ago = tables.connection.adapter.interval_expr(_SILENT_S, "second")
    rows = (worker & f"worker_heartbeat > CURRENT_TIMESTAMP(6) - {ago}").to_dicts(order_by="worker_host")
    hosts = (row["worker_host"] for row in rows if lane in row["worker_lanes"].replace(",", " ").split())
    return tuple(dict.fromkeys(hosts))
