"""Alarms as CloudWatch evaluates them.

``condition`` decides from data points (pure), ``rule`` from other alarms' states (pure),
``definition`` says which alarms there can be, ``book`` keeps them with their states and
history, ``watch`` brings their states up to date, ``messages`` is what SNS is told.
"""
