"""The figures, a file each. `python -m bench` chooses among them by their letters."""
