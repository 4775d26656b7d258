"""``imaging-pipeline web``."""

from __future__ import annotations

import logging
import signal
from types import FrameType
from typing import NoReturn

import click

from imaging_pipeline.cli.connection import connected
from imaging_pipeline.errors import MissingPackageError
from imaging_pipeline.schemas.checked_rows import existing
from imaging_pipeline.schemas.tables import Tables

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=8,
    show_default=True,
    help="Requests answered at the same time; each takes a database connection.",
)
@click.option("--prefix", default="", help="The path that the site lies under, such as /imaging.")
@click.option("--behind-proxy", is_flag=True, help="Trust the X-Forwarded-… headers of a reverse proxy.")
@click.option("--sign-in-as", metavar="NAME", help="Print a link that signs this user in, once.")
def web(host: str, port: int, threads: int, prefix: str, behind_proxy: bool, sign_in_as: str | None) -> None:
    """Serve the web page until Ctrl-C."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s")
    with connected() as tables:
        if sign_in_as is not None:
            # Before the site is up: the link of an unknown user would fail only in the browser.
            existing(tables.imaging.User, "username", sign_in_as)
        _serve(tables, host, port, threads, _path(prefix), behind_proxy, sign_in_as)


def _serve(
    tables: Tables, host: str, port: int, threads: int, prefix: str, behind_proxy: bool, name: str | None
) -> None:
    # Not at the top: what it needs is an extra, and the command has to say so.
    try:
        from imaging_pipeline.web import links, secret_key
        from imaging_pipeline.web.app import create_app
        from imaging_pipeline.web.serve import make_server
    except ImportError as error:
        raise MissingPackageError(
            "The web page needs packages that are not installed",
            found=error.name,
            remedy='Install the extra "web": pip install "imaging-pipeline[web]".',
        ) from error
    key = secret_key.secret_key(secret_key.default_folder())
    app = create_app(tables.config, secret_key=key, is_behind_proxy=behind_proxy)
    server = make_server(
        app, host=host, port=port, threads=threads, prefix=prefix, is_behind_proxy=behind_proxy
    )
    address = f"http://{host}:{server.effective_port}{prefix}/"
    # It is true already: the server listens, and queues what comes before `run`.
    click.echo(f"The web page is at {address} until Ctrl-C.")
    if not behind_proxy and host not in _LOOPBACK:
        click.echo("Passwords go over the network as they are: put a proxy with TLS before it.", err=True)
    if name is not None:
        token = app.extensions[links.EXTENSION].create(name)
        minutes = links.LIFETIME_S // 60
        click.echo(f"To sign in as {name}, once and within {minutes} minutes:\n{address}sign-in/link/{token}")
    # By default SIGTERM would end the process in the middle of requests.
    signal.signal(signal.SIGTERM, _end)
    server.run()


def _path(prefix: str) -> str:
    """Return the prefix as a path that begins with a slash and ends without one, or empty."""
    inner = prefix.strip("/")
    return f"/{inner}" if inner else ""


def _end(_number: int, _frame: FrameType | None) -> NoReturn:
    # Handled by waitress like Ctrl-C: it waits up to 5 s for the requests that are being answered.
    raise SystemExit(0)
