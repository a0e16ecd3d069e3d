"""Expand and contract: an old and a new release on one schema, which the new one widens."""

from __future__ import annotations

import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.support.app_bad_input import cart
from tests.support.app_http import ask
from tests.support.app_servers import Shop, postgres
from tests.support.paths import ROOT

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]
EXPAND = """-- A release that will note where carts come from; the one before knows nothing of it.
ALTER TABLE carts ADD COLUMN channel text NOT NULL DEFAULT 'web';
CREATE TABLE vouchers (code text PRIMARY KEY, cart_id uuid);
"""


def next_release(directory: Path) -> Path:
    """This release with one more migration, in a directory of its own."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "app", directory / "app", ignore=ignored)
    added = directory / "app/store/migrations/postgres/0099_channel.sql"
    added.write_text(EXPAND, encoding="utf-8")
    return directory


@contextmanager
def shoppers(url: str) -> Iterator[Counter[int]]:
    """Four of them, who fill carts and check out all the while."""
    ended = threading.Event()
    answers: Counter[int] = Counter()

    def shop() -> None:
        while not ended.is_set():
            made = ask(f"{url}/cart", cart(), timeout=30)
            answers[made.status] += 1
            if made.status == 200:
                answers[ask(f"{url}/cart/checkout", made.json(), timeout=30).status] += 1

    threads = [threading.Thread(target=shop) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def test_blue_serves_while_green_widens_the_schema_and_after(tmp_path: Path) -> None:
    with postgres() as database:
        environment = {"SHOP_DATABASE_URL": database.url}
        blue = Shop(tmp_path, environment)
        greens = [
            Shop(tmp_path, environment, release=next_release(tmp_path / str(number)))
            for number in range(2)
        ]
        try:
            blue.start()
            with shoppers(blue.url) as answers:
                starting = [threading.Thread(target=green.start) for green in greens]
                for thread in starting:  # two instances of one colour, at once
                    thread.start()
                for thread in starting:
                    thread.join()
                made = ask(f"{greens[0].url}/cart", cart()).json()
                assert ask(f"{blue.url}/cart/checkout", made).status == 200
            blue.stop()
            blue.start()  # a rollback: the old release begins on the wider schema
            made = ask(f"{blue.url}/cart", cart()).json()
            assert ask(f"{greens[1].url}/cart/checkout", made).status == 200
        finally:
            for server in (blue, *greens):
                server.stop()
        with psycopg.connect(database.url) as connection:
            rows = connection.execute("SELECT version FROM schema_migrations ORDER BY 1").fetchall()
            columns = connection.execute(
                "SELECT 1 FROM information_schema.columns WHERE column_name = 'channel'"
            ).fetchall()
    assert set(answers) == {200}, "nobody noticed"
    assert answers[200] > 20
    assert rows[-1] == (99,)
    assert len(columns) == 1
