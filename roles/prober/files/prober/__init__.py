"""Probes each URL of a list periodically; publishes whether and how fast it responded."""
