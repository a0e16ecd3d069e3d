"""What the shop does, in its own terms: no HTTP above, no SQL below."""
