"""What is on record for and against a message, and what it is worth.

    grants.py    which consents stand, and how strong they are
    terms.py     what a consent must be like to count
    grounds.py   what does instead of a consent: the customer exception and its kin
    releases.py  the cases in which a rule about hours or registries leaves a message alone
    opt_outs.py  which request to stop stands against a message
    listings.py  whether an entry of a register is about a message

Nothing here looks anything up: it is told what the records hold (`facts`).
"""
