"""The sources of metrics, which all follow one protocol."""
