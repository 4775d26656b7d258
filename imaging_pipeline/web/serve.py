"""Serving the site."""

from __future__ import annotations

import socket
from typing import Any, Protocol, cast

import waitress
from flask import Flask

from imaging_pipeline.errors import InputError, Responsible
from imaging_pipeline.web.safety import LARGEST_REQUEST


class Server(Protocol):
    """A server that listens; ``run`` answers until it is interrupted or closed."""

    effective_port: int

    def run(self) -> None:
        """Answer requests."""

    def close(self) -> None:
        """Listen no more."""


def make_server(
    app: Flask, *, host: str, port: int, threads: int, prefix: str = "", is_behind_proxy: bool = False
) -> Server:
    """Return a server that listens already.

    Parameters
    ----------
    app
        From `create_app`.
    host, port
        Where it listens; port 0 takes a free one.
    threads
        Requests answered at the same time, and database connections.
    prefix
        The path that the site lies under, such as ``/imaging``.
    is_behind_proxy
        Whether headers of a proxy are passed on.

    Raises
    ------
    InputError
        The address cannot be had.
    """
    settings: dict[str, Any] = {
        "sockets": [_listening(host, port)],
        "threads": threads,
        "url_prefix": prefix,
        "ident": None,
        "max_request_body_size": LARGEST_REQUEST + 1024 * 1024,
        "clear_untrusted_proxy_headers": not is_behind_proxy,
    }
    return cast(Server, waitress.create_server(app, **settings))


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise InputError(
            "The web page cannot listen there",
            found=f"{host}:{port}: {error.strerror or error}",
            remedy="Take another --port, or end what listens there already.",
            responsible=Responsible.ADMINISTRATOR,
        ) from error
