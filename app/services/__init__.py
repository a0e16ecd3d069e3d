"""The services of the shop: no HTTP, no SQL."""
