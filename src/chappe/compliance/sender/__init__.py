"""Whose message it is.

    profile.py     `SenderProfile`: what is known of a sender
    senders.py     all of them, and which one a message has
    originator.py  the mailbox, number or name that it comes from

Senders are described in the configuration, `[senders.NAME]`.
"""
