"""Data preparation: from series to aligned pairs of periods, and whether they can be trusted."""
