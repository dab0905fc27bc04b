"""People: what they agreed to, where never to send, who they are.

`lists` imports many at once.
"""
