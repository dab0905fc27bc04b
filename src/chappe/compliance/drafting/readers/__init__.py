"""The small grammars: each reads one passage for one matter and returns what it found, or nothing."""
