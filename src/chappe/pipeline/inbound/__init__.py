"""What people answer: STOP, HELP, START and the rest.

    request.py    a text as it arrives, checked and made canonical
    receiving.py  read, and recorded with its effects in one transaction
    effects.py    what follows from a text
    answers.py    what is owed in return, sent by the ordinary pipeline

A text is recorded with its effects before its sender is answered.
"""
