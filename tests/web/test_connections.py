"""Threads, and a database that goes away and comes back."""

from __future__ import annotations

import dataclasses
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from imaging_pipeline.config.config import Config
from imaging_pipeline.schemas import imaging, tables
from imaging_pipeline.schemas.administer import administration
from imaging_pipeline.web.connections import EXTENSION
from tests.makers.lab import Lab, emptied_lab
from tests.makers.server_process import ServerProcess
from tests.makers.site import ON_ONE_SERVER, Site, Visitor, running_site

NUM_THREADS = 16
NUM_ROUNDS = 12


def test_sixteen_threads_see_no_rows_of_each_other(site: Site) -> None:
    """Each thread is a person of its own who looks at their own option set, over and over."""
    people = [f"person{number:02d}" for number in range(NUM_THREADS)]
    for number, name in enumerate(people):
        imaging.User.insert1({"username": name, "first_name": f"First-{name}"})
        administration.add_options(tables.default_tables(), f"set-of-{name}", {"tau": 2.0 + number / 100})
    begin = threading.Barrier(NUM_THREADS)

    def visit(number: int) -> list[str]:
        name = people[number]
        visitor = site.visitor(name)
        begin.wait()
        wrong = []
        for _ in range(NUM_ROUNDS):
            page = visitor.get(f"/options/set/set-of-{name}")
            seen = {
                *re.findall(r"First-(person\d+)", page.text),
                *re.findall(r"<h1>Option set set-of-(person\d+)", page.text),
            }
            value = f"<code>{2.0 + number / 100}</code>"
            if page.status_code != 200 or seen != {name} or value not in page.text:
                wrong.append(page.text)
        return wrong

    with ThreadPoolExecutor(NUM_THREADS) as pool:
        assert [wrong for wrong in pool.map(visit, range(NUM_THREADS)) if wrong] == []


def test_each_thread_has_one_connection_and_keeps_it(site: Site) -> None:
    of_site = site.app.extensions[EXTENSION]
    begin = threading.Barrier(4)

    def connection(_: int) -> set[Any]:
        begin.wait()
        return {id(of_site.tables().connection) for _ in range(5)}

    with ThreadPoolExecutor(4) as pool:
        of_threads = list(pool.map(connection, range(4)))
    assert all(len(of_thread) == 1 for of_thread in of_threads)
    assert len(set.union(*of_threads)) == 4


@pytest.fixture
def stoppable(server: ServerProcess, embedded_lab_config: Config, tmp_path: Path) -> Lab:
    """Return an empty lab on a server that can be stopped."""
    (tmp_path / "store").mkdir()
    config = server.configured(embedded_lab_config, tmp_path / "store")
    return emptied_lab(dataclasses.replace(config, path=tmp_path / "dj_local_conf.json"), tmp_path)


@pytest.fixture
def site_of_stoppable(stoppable: Lab) -> Iterator[Site]:
    with running_site(stoppable) as site:
        yield site


def test_a_database_that_is_away_is_a_page_that_tries_again_and_signs_nobody_out(
    site_of_stoppable: Site, server: ServerProcess
) -> None:
    anna = site_of_stoppable.visitor("anna")
    form = anna.form(anna.get("/options/add"), "/options/add")
    assert anna.get("/health").status_code == 200
    server.stop()
    page = anna.get("/options/")
    assert (page.status_code, page.headers["Retry-After"]) == (503, "10")
    assert '<meta http-equiv="refresh" content="10">' in page.text
    assert "127.0.0.1" in page.text
    assert server.password not in page.text
    sent = anna.send(form, {"name": "fast"})
    assert sent.status_code == 503
    assert 'http-equiv="refresh"' not in sent.text
    part = anna.part("/options/")
    assert (part.status_code, part.headers["HX-Retarget"]) == (503, "#messages")
    assert anna.get("/health").status_code == 503
    server.start()
    assert anna.get("/options/").status_code == 200
    assert anna.get("/health").status_code == 200
    again = anna.send(anna.form(sent, "/options/add"))
    assert "Choose a file." in again.text


@ON_ONE_SERVER
def test_a_connection_that_the_server_ended_is_made_again(anna: Visitor, site: Site) -> None:
    connection = site.app.extensions[EXTENSION].tables().connection
    tables.default_tables().connection.query(f"SELECT pg_terminate_backend({connection.connection_id})")
    assert anna.get("/options/").status_code == 200
