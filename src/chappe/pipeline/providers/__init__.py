"""Providers as the pipeline uses them.

    gateway.py  a provider, and the routes of the channels
    gate.py     its slots: so many attempts at once
    breaker.py  its circuits: left alone while it fails
    backoff.py  how long a message waits before the next try

They hold what is known of a provider in memory only: after a start every circuit is closed.
"""
