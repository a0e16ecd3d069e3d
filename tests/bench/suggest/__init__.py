"""``canary suggest`` on services it was not built on: real load, real and injected harm."""
