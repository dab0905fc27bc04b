"""What a message is, by its content.

    checking.py        judged once, when it is accepted
    second_opinion.py  ... a second time, where the first is uncertain
    models.py          the models that judge, stored and put in use
    readings.py        what a scrape of the metrics shows of them

Only the fast judge stands in the way of a message; whatever takes longer runs beside it.
"""
