"""The words Chappe is written in: messages, statuses, decisions, limits and errors.

Nothing here performs I/O or reads a clock: time is always an argument, in integer milliseconds since the
Unix epoch (UTC) unless a name says otherwise.
"""
