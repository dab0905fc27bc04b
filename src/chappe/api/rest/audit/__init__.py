"""Decisions on record, and the legal holds that keep them."""
