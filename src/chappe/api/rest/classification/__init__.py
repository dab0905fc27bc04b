"""What content is judged to be: on request, by which model, and reviewed by people."""
