"""Statistics on plain numbers and arrays, each method cited. Nothing here knows about canaries.

Arrays are ``[series, periods]``, and every function is vectorised over the series. NaN marks a
missing period.
"""
