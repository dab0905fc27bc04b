"""A demonstration on one machine: a mail server and a webhook receiver to send to, and example messages.

aiosmtpd is a dependency for this: `chappe serve --demo` is what people try first, so it must work right after the
installation, and a mail server that is known to be one shows more than a few lines that imitate it.
"""

from chappe.demo.examples import Examples, find_examples
from chappe.demo.receivers import Receivers, demo_config, receiving

__all__ = ["Examples", "Receivers", "demo_config", "find_examples", "receiving"]
