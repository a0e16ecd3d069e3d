"""Raise, wait, judge, decide; every way out ends in a safe state."""
