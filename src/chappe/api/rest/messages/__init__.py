"""Messages: sent, decided, looked at, cancelled; one at a time or in batches."""
