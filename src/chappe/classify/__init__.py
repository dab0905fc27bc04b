"""What a message is, by its content: transactional, promotional, spam or conversational, with a probability and the
words that weighed.

The fast path (`fingerprint`, `model`, `cache`) is pure Python over a dictionary of weights and answers in
microseconds. Nothing here reads a clock; files are read once, when a model or a corpus is loaded.

    fingerprint.py   what a model sees of a text       model.py        weights, probabilities, labels
    cache.py         verdicts seen before              serving.py      the model in use, and one in its shadow
    explain.py       which words weighed               artefact.py     a model as a file, with its card
    policy.py        what follows from a verdict       drift.py        signs that a model has grown old
    moderation.py    categories by words               links.py        suspicious links
    templates.py     the corpus, and filling it        training/       models made from it (extra `train`)
"""
