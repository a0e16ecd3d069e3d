"""Places that metrics are read from, behind one small protocol."""
