"""Lists of consents, of suppressions and of people, imported from files.

A process of its own reads the file and checks every line (which module does that is said by whoever starts the import;
`reading.py` is what such modules share). With more bad lines than allowed nothing is stored. Otherwise what the lines
say stands in a file, on stable storage, and is committed in batches, each with a mark of how far it has come: a server
that is killed meanwhile goes on there when it starts. What is stored already is left as it is, so importing a file
twice changes nothing.
"""
