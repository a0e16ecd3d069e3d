"""Faults on the real hosts of a local cloud, under constant load."""
