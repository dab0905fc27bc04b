"""Durable queues. `base` is the contract; each engine behind it passes the same conformance suite."""
