"""Probes each URL of a list periodically, and publishes its result and response time."""
