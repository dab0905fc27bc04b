"""Other servers to measure beside: they are installed on demand into `bench/.rivals`, started and asked to do the
same work. See README.md of bench.
"""
