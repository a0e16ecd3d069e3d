"""Writes each alarm change and each canary verdict to DynamoDB, effectively once.

SNS sends each message to a queue, which delivers it until it is deleted. The recorder deletes a
message only after its row is written, and the row's key depends on the message alone. So a message
that arrives twice, or whose recorder was killed before the deletion, finds its own row and changes
nothing.
"""
