"""Registries of numbers and addresses: made, imported, asked."""
