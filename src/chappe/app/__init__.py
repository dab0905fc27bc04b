"""The wiring: which parts a server is made of. The one room that knows them all.

server.py      a server that runs: `running`, `run`
parts.py       from the configuration to its parts
examining.py   whether a data folder is sound: `examine_folder`
"""

from chappe.app.examining import examine_folder
from chappe.app.server import Running, run, running

__all__ = ["Running", "examine_folder", "run", "running"]
