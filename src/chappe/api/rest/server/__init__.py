"""The server itself: queues, providers, the sandbox, metrics, health."""
