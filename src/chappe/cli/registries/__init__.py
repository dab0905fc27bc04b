"""`chappe registries`: lists of numbers and addresses that others keep, imported and asked."""
