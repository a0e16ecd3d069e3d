"""Every role's Molecule scenarios, one after the other: ``python -m tests.molecule [ROLE ...]``."""
