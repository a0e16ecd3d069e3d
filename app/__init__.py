"""The shop: a small Bottle application with carts and a catalogue."""
