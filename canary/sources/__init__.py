"""Sources of metrics, behind one protocol."""
