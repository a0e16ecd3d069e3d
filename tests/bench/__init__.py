"""Measurements: error rates and speed of the judge. Not part of `make test`."""
