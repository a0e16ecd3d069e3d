"""Runs the Molecule scenarios of all roles: ``python -m tests.molecule [ROLE ...]``."""
