"""Metric math: ``grammar`` parses it, ``evaluation`` computes it. Independent of moto."""
