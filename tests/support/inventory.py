"""An inventory as Ansible sees it: the variables of its hosts, resolved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ansible.inventory.manager import InventoryManager
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar
from ansible.vars.hostvars import HostVars
from ansible.vars.manager import VariableManager

from tests.support.ansible_templates import load_plugins


class Inventory:
    """Reads the sources once. ``python`` stands for the interpreter that runs Ansible."""

    def __init__(self, sources: Sequence[Path], python: str) -> None:
        load_plugins()
        self.python = python
        self.loader = DataLoader()
        self.inventory = InventoryManager(loader=self.loader, sources=[str(one) for one in sources])
        self.variables = VariableManager(loader=self.loader, inventory=self.inventory)
        HostVars(
            self.inventory, self.variables, self.loader
        )  # it registers itself with the manager

    def raw(self, host: str) -> dict[str, Any]:
        found: dict[str, Any] = self.variables.get_vars(host=self.inventory.get_host(host))
        return {**found, "ansible_playbook_python": self.python}

    def value(self, host: str, name: str) -> Any:
        """Return one variable of a host, resolved; undefined is an error."""
        return self.values(host)(name)

    def values(self, host: str) -> Callable[[str], Any]:
        """Return a resolver for the variables of a host, so that they are read only once."""
        variables = self.raw(host)
        templar = Templar(loader=self.loader, variables=variables)
        return lambda name: templar.template(variables[name])

    def hosts(self, group: str) -> list[str]:
        """Return the names of the hosts of a group, in order."""
        return sorted(host.name for host in self.inventory.groups[group].get_hosts())
