"""Asks every URL of a list, again and again, and publishes whether and how fast it answered."""
