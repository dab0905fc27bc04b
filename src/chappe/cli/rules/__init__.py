"""`chappe rules`: what the rules say, changes to them, and the versions of the rule set."""
