"""A second opinion on messages that the fast path is unsure of: a random forest over words, a sentence embedding and
what is known of sender and recipient.

Needs the extra `chappe[embed]` (numpy, tokenizers, safetensors). Nothing here is loaded before it is asked for.
"""
