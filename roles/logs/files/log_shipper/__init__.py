"""Sends the journal of a host to a log group of CloudWatch.

The journal is the only store: while AWS is away, entries wait there, within its size limit. The
program remembers one position, and moves it when AWS has the entries before it.
"""
