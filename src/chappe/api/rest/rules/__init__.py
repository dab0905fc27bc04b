"""The rules, and the versions of the rule set."""
