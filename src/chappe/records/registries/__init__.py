"""Registries: large sets of telephone numbers or addresses, kept by others, that say who must not or may be written to.

Shape
    A registry has versions. Each is one immutable file (layout.py), mapped into memory and never loaded: a number takes
    about two bytes, an address about sixteen, and a look-up a few microseconds (sorted_set.py). What the registries are
    and which version of each is in use stands in the records (registry_records.py); `Registries` (store.py) puts both
    together and answers.

How a list becomes a version
    A process of its own (building.py) reads the list line by line (source.py), sorts it outside of memory (sorting.py),
    unites it with the version before if it is a delta (uniting.py) and writes the file (writing.py), so that a list of
    ten million takes neither the memory nor the time of the server. The file is synced and renamed before the version
    is recorded, and the version is in use when the record is committed. What a crash leaves behind is in no record, and
    the next start removes it.

Exactness
    Numbers are kept whole. Of an address 144 bits of a keyed hash (BLAKE2b, a random key per registry file) are kept,
    so the files hold no readable addresses. That two addresses agree in them is possible; for one look-up among 10
    million entries the probability is 10^7 / 2^144, below 10^-36. A disk that returns wrong data unnoticed is far
    likelier, and without the key nobody can look for such addresses.
"""
