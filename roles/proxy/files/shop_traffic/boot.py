"""Steps that systemd runs before and after HAProxy starts or reloads."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from shop_traffic.commands import Traffic
from shop_traffic.config import Config, RefusedError, Server
from shop_traffic.runtime import FALLBACK

PATIENCE = 10.0
POLL = 0.05
# HAProxy's state file, version 1: management guide, "show servers state".
COLUMNS = (
    "be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight "
    "srv_time_since_last_change srv_check_status srv_check_result srv_check_health "
    "srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord "
    "srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port"
)
RUNNING, IN_SERVICE, IN_MAINTENANCE = 2, 0, 5


def prepare(traffic: Traffic) -> None:
    """Before a start: end any canary's lease, so that the live colour carries all traffic."""
    config = traffic.config
    traffic.forget_lease()
    weights = traffic.all_to(traffic.live)
    states = traffic.fallback_states()
    lines = ["1", f"# {COLUMNS}"]
    for server in config.servers:
        ready = states[server.name + FALLBACK] == "ready"
        admin = IN_SERVICE if ready else IN_MAINTENANCE
        lines.append(line(config, server, server.name, weights[server.name], IN_SERVICE))
        lines.append(line(config, server, server.name + FALLBACK, 1, admin))
    try:
        replace(config.server_state, "\n".join(lines) + "\n\n")
    except OSError as error:  # HAProxy starts without it, restore sets the weights
        config.server_state.unlink(missing_ok=True)
        sys.stderr.write(f"shop-traffic: {config.server_state} cannot be written: {error}\n")
    worker(traffic).unlink(missing_ok=True)


def line(config: Config, server: Server, name: str, weight: int, admin: int) -> str:
    fallback = name.endswith(FALLBACK)
    configured = 1 if fallback else 0
    check_port = 0 if fallback else config.check_port  # a fallback has no own check
    return (
        f"1 {config.backend} {server.id + 1000 if fallback else server.id} {name} {server.address} "
        f"{RUNNING} {admin} {weight} {configured} 0 1 0 0 {8 if fallback else 6} 0 0 1 - "
        f"{server.port} - 0 {check_port} - - 0"
    )


def save(traffic: Traffic) -> None:
    """Before a reload: save all weights and states for the next worker."""
    replace(traffic.config.server_state, traffic.runtime.ask("show servers state"))
    worker(traffic).write_text(pid(traffic))


def restore(traffic: Traffic) -> None:
    """After a start or reload: wait for the new worker; without a lease, live gets all traffic.

    A new worker begins without the drill of a lease.
    """
    give_up = time.monotonic() + PATIENCE
    while not taken_over(traffic):
        if time.monotonic() > give_up:
            raise RefusedError(f"No new HAProxy worker after {PATIENCE:g} s: journalctl -u haproxy")
        time.sleep(POLL)
    with traffic.memory.locked():
        if traffic.memory.lease is None:
            traffic.give_back()
        else:
            traffic.drill(traffic.memory.lease)


def taken_over(traffic: Traffic) -> bool:
    try:
        known = traffic.runtime.read()
        old = worker(traffic)
        same = old.exists() and old.read_text() == pid(traffic)
    except RefusedError:
        return False
    return not same and {server.name for server in traffic.config.servers} <= known.keys()


def pid(traffic: Traffic) -> str:
    lines = traffic.runtime.ask("show info").splitlines()
    return next((line for line in lines if line.startswith("Pid: ")), "")


def worker(traffic: Traffic) -> Path:
    return traffic.memory.directory / "worker"


def replace(target: Path, text: str) -> None:
    temporary = target.with_suffix(".new")
    temporary.write_text(text)
    temporary.chmod(0o644)
    temporary.replace(target)
