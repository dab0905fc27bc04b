"""What a message is, by its content: transactional, promotional, spam or conversational, with a probability and the
words that weighed.

The fast path (`fingerprint`, `model`, `cache`) is pure Python over a dictionary of weights and answers in
microseconds. Nothing here reads a clock; files are read once, when a model or a corpus is loaded.
"""
