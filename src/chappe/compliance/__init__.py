"""Whether a message may be sent now, later or not at all, and which rules said so.

Rules are data (`rules/*.yaml`), read into typed values (`rule`, `kinds`) and compiled into an immutable
`RuleSet`. A decision is a pure function of the message, the `Facts` about its recipient and a moment: nothing
here performs I/O once the rules are loaded, and nothing reads a clock.

    rules/              the rules that come with Chappe, as data
    rule/               what one rule is: what all kinds have in common
    kinds/              the kinds of rule, one module each
    rule_files/         from YAML to rules, or to all that is wrong with them
    rule_sets/          rules together: compiled, asked, compared, rolled out, tried on their examples
    facts/              what is known when a message is decided, as plain values
    consent/            what is on record for and against a message, and what it is worth
    content/            what a message says, must show and must not
    sender/             whose message it is
    opt_out/            what a person's answer means
    places/             where a recipient may be, and which law binds there
    calendar/           hours on local clocks, holidays, periods
    drafting/           rules proposed from the text of a regulation
    handbook.py         the shipped rules as pages to read
    packaged_tables.py  tables of words, read from YAML

Imports between them run one way, in the order that `pyproject.toml` states and `lint-imports` checks.

The rules shipped with Chappe are engineering facts in our own words, with the citation and the source they
were taken from. They are not legal advice; have counsel confirm them before relying on them.
"""
