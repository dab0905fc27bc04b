"""Importing lists of suppressions, consents and people: checked line by line in a process of its own."""
