"""What a message says, must show and must not.

    shown.py          what a recipient gets to read of it, in a form in which it can be looked for
    scanning.py       many patterns looked for at once
    patterns.py       patterns of rules: RE2, bounded
    prohibited.py     the matters that are kept out of messages: prohibited.yaml
    redaction.py      what can be made unreadable: redaction.yaml
    languages.py      whether a text is in a language
    templates.py      whether it is one that was registered
    particulars.py    what it shows of its sender
    way_out.py        whether it shows a way to refuse the next one
    opt_out_means.py  ... by which means, and in which words: opt_out_statements.yaml

Texts are looked at as they are shown, and patterns take time linear in the text.
"""
