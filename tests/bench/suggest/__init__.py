"""``canary suggest`` on services that it was not tuned for: real load, real and injected harm."""
