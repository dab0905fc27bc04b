"""Measurements of how messages fare."""
