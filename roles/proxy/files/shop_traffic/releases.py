"""The release that each server reports in its header X-Release."""

from __future__ import annotations

import http.client
import re
from concurrent.futures import ThreadPoolExecutor

from shop_traffic.config import Config, Server

SECONDS = 0.5
HEADER = "X-Release"
NAME = re.compile(r"[\w.+-]{1,128}", re.ASCII)


def releases(config: Config) -> dict[str, str]:
    """Return the release that each server reports; empty if it does not respond or report one."""
    with ThreadPoolExecutor(len(config.servers)) as pool:
        found = pool.map(lambda server: release(server, config), config.servers)
        return dict(zip((server.name for server in config.servers), found, strict=True))


def release(server: Server, config: Config) -> str:
    connection = http.client.HTTPConnection(server.address, server.port, timeout=SECONDS)
    headers = {"Host": config.check_host, "Connection": "close"}
    try:
        connection.request("GET", config.check_path, headers=headers)
        said = connection.getresponse().getheader(HEADER, "")
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()
    return said if NAME.fullmatch(said) else ""
