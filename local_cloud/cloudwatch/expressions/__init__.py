"""Metric math: ``grammar`` reads it, ``evaluation`` computes it. Free of any emulator."""
