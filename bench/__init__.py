"""Benchmarks: they print tables and write JSON, each figure beside its rival or its target. See README.md here."""
