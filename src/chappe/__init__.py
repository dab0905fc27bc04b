"""Chappe: the Amazon SQS API on a durable core, and a lawful message pipeline to people."""

__version__ = "0.1.0"
