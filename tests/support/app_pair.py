"""Blue and green as deployed: one PostgreSQL, one Redis, and the role's HAProxy in front."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis as redis_client

from tests.support.app_servers import Postgres, Redis, Shop, postgres, redis
from tests.support.proxy_process import Proxy, made

RELEASE = "0123456789ab"


@dataclass
class Pair:
    proxy: Proxy
    shops: dict[str, Shop]
    database: Postgres
    cache: Redis

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.proxy.port}"

    def empty(self) -> None:
        """Delete all carts, orders and products."""
        with psycopg.connect(self.database.url) as connection:
            connection.execute("TRUNCATE carts, orders, products")
        client = redis_client.Redis.from_url(self.cache.url)
        client.flushall()
        client.close()


@contextmanager
def running_pair(directory: Path) -> Iterator[Pair]:
    """Start both colours; blue is live."""
    with postgres() as database, redis() as cache, ExitStack() as stack:
        proxy = made(directory, per_colour=1, stack=stack)
        shops: dict[str, Shop] = {}
        for server in proxy.servers:
            environment = {
                "SHOP_DATABASE_URL": database.url,
                "SHOP_REDIS_URL": cache.url,
                "SHOP_COLOUR": server["colour"],
                "SHOP_RELEASE": RELEASE,
                "SHOP_DRAIN_SECONDS": "2",
            }
            shop = Shop(directory, environment, port=server["port"])
            stack.callback(shop.stop)
            shop.start()
            shops[server["colour"]] = shop
        proxy.start()
        proxy.wait_until_up(*(server["name"] for server in proxy.servers))
        yield Pair(proxy, shops, database, cache)
