"""Lock, live colour, history, releases and alarms of an environment."""
