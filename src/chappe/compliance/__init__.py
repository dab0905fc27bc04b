"""Whether a message may be sent now, later or not at all, and which rules said so.

Rules are data (`rules/*.yaml`), read into typed values (`rule`, `kinds`) and compiled into an immutable
`RuleSet`. A decision is a pure function of the message, the `Facts` about its recipient and a moment: nothing
here performs I/O once the rules are loaded, and nothing reads a clock.

The rules shipped with Chappe are engineering facts in our own words, with the citation and the source they
were taken from. They are not legal advice; have counsel confirm them before relying on them.
"""
