"""Texts from people, and their requests to stop."""
