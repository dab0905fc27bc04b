"""What the server says of itself afterwards: the audit log.

Everything above the model may import this room; it imports the records and the model, and nothing above them.
"""
