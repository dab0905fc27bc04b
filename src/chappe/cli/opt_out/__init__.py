"""`chappe optout`: what people answer, and their requests to stop."""
