"""The commands put together, and how an error ends one."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from chappe import __version__
from chappe.cli import doctor, keys, queues, rates, send, serve, status
from chappe.cli.audit import commands as audit
from chappe.cli.classify import commands as classify
from chappe.cli.opt_out import commands as opt_out
from chappe.cli.output import report_error
from chappe.cli.people import commands as people
from chappe.cli.people import consents, suppressions
from chappe.cli.registries import commands as registries
from chappe.cli.rules import commands as rules
from chappe.model.errors import ChappeError, InvalidConfiguration

USAGE_ERROR = 2
FAILURE = 1

app = typer.Typer(
    name="chappe",
    help="Durable queues with the Amazon SQS API, and messages to people by the rules.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("send")(send.send)
app.command("status")(status.status)
app.command("queues")(queues.queues)
app.command("doctor")(doctor.doctor)
app.add_typer(keys.app, name="keys")
app.add_typer(rules.app, name="rules")
app.add_typer(opt_out.app, name="optout")
app.add_typer(classify.app, name="classify")
app.add_typer(audit.app, name="audit")
app.add_typer(registries.app, name="registries")
app.add_typer(rates.app, name="rates")
app.add_typer(suppressions.app, name="suppressions")
app.add_typer(consents.app, name="consents")
app.add_typer(people.app, name="people")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(__version__)


def main() -> NoReturn:
    """Run the command line and exit. An error of ours becomes one line on standard error and an exit code."""
    try:
        app()
    except InvalidConfiguration as error:
        report_error(error)
        sys.exit(USAGE_ERROR)
    except ChappeError as error:
        report_error(error)
        sys.exit(FAILURE)
    sys.exit(0)
