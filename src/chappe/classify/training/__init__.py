"""Making and judging models. Needs the extra `chappe[train]` (numpy and scikit-learn)."""
