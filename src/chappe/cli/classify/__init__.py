"""`chappe classify`: what a text is and why, messages held for review, and the models that judge."""
