"""Traffic splitting, behind one protocol."""
