"""The site as it is served: by its command, below a path, and behind a proxy."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from imaging_pipeline.cli import main
from imaging_pipeline.web.app import create_app
from tests.makers.config_file import write_config
from tests.makers.lab import Lab
from tests.makers.site import ON_ONE_SERVER, listening

pytestmark = ON_ONE_SERVER

PROXIED = {
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "lab.example.org",
    "X-Forwarded-For": "10.1.2.3",
    "X-Forwarded-Prefix": "/imaging",
}


class Stays(urllib.request.HTTPRedirectHandler):
    """Follows no redirection."""

    def redirect_request(self, *_: Any) -> None:
        return None


def ask(address: str, **headers: str) -> HTTPResponse | urllib.error.HTTPError:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stays)
    request = urllib.request.Request(
        address, headers={name.replace("_", "-"): headers[name] for name in headers}
    )
    try:
        with opener.open(request, timeout=60) as response:
            response.text = response.read().decode()
            return response
    except urllib.error.HTTPError as response:
        with response:
            return response


@pytest.fixture
def running(lab: Lab, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run the command, at a port that is free."""
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    program = "from imaging_pipeline.cli import main; main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "--config", config, "web", "--port", "0", "--sign-in-as", "anna"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "XDG_DATA_HOME": str(tmp_path / "data")},
    )
    with process:
        yield process
        process.kill()


def test_the_command_serves_until_it_is_ended_and_prints_a_link_that_signs_in(
    running: subprocess.Popen[str], tmp_path: Path
) -> None:
    address = re.search(r"http://127\.0\.0\.1:\d+", running.stdout.readline())[0]
    assert running.stdout.readline() == "To sign in as anna, once and within 10 minutes:\n"
    link = running.stdout.readline().strip()
    assert json.loads(ask(f"{address}/health").text) == {"database": "answers"}
    assert ask(f"{address}/options/").headers["Location"] == "/sign-in?next=/options/"
    assert "Sign in as anna" in ask(link).text
    key = tmp_path / "data" / "imaging-pipeline-web" / "secret_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) == 64
    running.send_signal(signal.SIGTERM)
    assert running.wait(60) == 0


@pytest.mark.parametrize("path", ["/imaging/options/", "/options/"])
def test_a_site_below_a_path_leads_there_whether_the_proxy_takes_the_path_off_or_not(
    lab: Lab, path: str
) -> None:
    with listening(create_app(lab.config, secret_key="x"), prefix="/imaging") as address:
        assert ask(address + path).headers["Location"] == "/imaging/sign-in?next=/options/"
        page = ask(f"{address}/imaging/sign-in")
        assert 'href="/imaging/static/site.css' in page.text
        assert "Path=/imaging" in page.headers["Set-Cookie"]


def test_a_proxy_is_believed_where_it_was_told_that_there_is_one(lab: Lab) -> None:
    app = create_app(lab.config, secret_key="x", is_behind_proxy=True)
    with listening(app, is_behind_proxy=True) as address:
        page = ask(f"{address}/sign-in", **PROXIED)
    assert {"Secure", "Path=/imaging"} <= set(page.headers["Set-Cookie"].split("; "))
    assert 'action="/imaging/sign-in"' in page.text


def test_nobody_else_can_say_where_they_come_from(lab: Lab) -> None:
    with listening(create_app(lab.config, secret_key="x")) as address:
        page = ask(f"{address}/sign-in", **PROXIED)
    assert "Secure" not in page.headers["Set-Cookie"]
    assert 'action="/sign-in"' in page.text


def test_the_server_does_not_tell_what_it_is(lab: Lab) -> None:
    with listening(create_app(lab.config, secret_key="x")) as address:
        assert "Server" not in ask(f"{address}/health").headers


def test_a_user_who_is_not_there_gets_no_link(lab: Lab, tmp_path: Path) -> None:
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    result = CliRunner().invoke(main, ["--config", str(config), "web", "--sign-in-as", "ann"])
    assert result.exit_code == 1
    assert "There is no username 'ann'" in result.stderr


def test_a_port_that_is_taken_is_told(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    config = write_config(lab.config, tmp_path / "dj_local_conf.json")
    with listening(create_app(lab.config, secret_key="x")) as address:
        port = address.rpartition(":")[2]
        result = CliRunner().invoke(main, ["--config", str(config), "web", "--port", port])
    assert result.exit_code == 1
    assert f"127.0.0.1:{port}" in result.stderr
    assert "Take another --port" in result.stderr
