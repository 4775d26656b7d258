"""Serving the site."""

from __future__ import annotations

import socket
from typing import Any, Protocol, cast

import waitress
from flask import Flask

from imaging_pipeline.errors import InputError, Responsible
from imaging_pipeline.web.safety import LARGEST_REQUEST


class Server(Protocol):
    """A listening server; ``run`` answers requests until it is interrupted or closed."""

    effective_port: int

    def run(self) -> None:
        """Answer requests."""

    def close(self) -> None:
        """Stop listening."""


def make_server(
    app: Flask, *, host: str, port: int, threads: int, prefix: str = "", is_behind_proxy: bool = False
) -> Server:
    """Return a server that is already listening.

    Parameters
    ----------
    app
        From `create_app`.
    host, port
        Where it listens; port 0 takes a free one.
    threads
        How many requests are answered at the same time, each with a database connection.
    prefix
        The path that the site lies under, such as ``/imaging``.
    is_behind_proxy
        Whether headers of a proxy are passed on.

    Raises
    ------
    InputError
        The address is not free, or not one of this machine.
    """
    settings: dict[str, Any] = {
        "sockets": [_listening(host, port)],
        "threads": threads,
        "url_prefix": prefix,
        # No header with the name of the server program.
        "ident": None,
        # A little more than the site accepts, so that its own page answers requests that are too large.
        "max_request_body_size": LARGEST_REQUEST + 1024 * 1024,
        "clear_untrusted_proxy_headers": not is_behind_proxy,
    }
    return cast(Server, waitress.create_server(app, **settings))


def _listening(host: str, port: int) -> socket.socket:
    # Only an IPv6 address contains colons.
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
