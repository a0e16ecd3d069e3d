"""An emulated AWS control plane whose EC2 instances are real Debian hosts."""
