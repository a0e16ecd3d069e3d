"""Writes each alarm change and each canary verdict to DynamoDB, effectively once.

SNS hands a message to the queue, the queue hands it out until it is deleted. It is deleted only
after its row is there, and a row's key is made from the message alone: a message that comes twice,
or whose recorder was killed between the two, meets its own row and changes nothing.
"""
