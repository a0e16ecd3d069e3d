"""Who carries how much traffic, behind one small protocol."""
