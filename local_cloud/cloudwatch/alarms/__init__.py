"""Alarms as CloudWatch evaluates them.

``condition`` evaluates data points, ``rule`` evaluates the states of other alarms; both are pure.
``definition`` validates alarms, ``book`` stores them with their states and history, ``watch``
updates their states, and ``messages`` builds the messages to SNS.
"""
