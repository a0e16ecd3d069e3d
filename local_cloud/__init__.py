"""A local cloud: an emulated AWS control plane whose EC2 instances are real booted hosts."""
