"""Local clocks and calendars. Nothing here reads a clock: moments are handed in.

    hours.py            opening hours as spans
    local_time.py       days, times, windows and zones as rule files write them
    public_holidays.py  the holidays of countries and their parts
    periods.py          `2y`, `6mo`, `14d`
    counting.py         windows in which messages are counted

They are milliseconds since 1970 in universal time.
"""
