"""Sends the journal of a host to a log group of CloudWatch.

The journal is the only store. While AWS does not respond, entries wait there, within its size
limit. The program stores one position, and advances it when AWS has accepted the entries before it.
"""
