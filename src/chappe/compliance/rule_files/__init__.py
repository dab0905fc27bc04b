"""Rule files: YAML in, typed rules out, or one error that lists every problem.

    loading.py  files and folders read into rules
    faults.py   all that is wrong with one entry, field by field
    lines.py    ... and on which line

The files shipped with Chappe are in `rules`.
"""
