"""The commands put together, and how an error ends one."""

from __future__ import annotations

import sys
from typing import NoReturn

import typer

from chappe import __version__
from chappe.cli import (
    audit,
    classify,
    doctor,
    keys,
    lists,
    opt_out,
    people,
    queues,
    rates,
    registries,
    rules,
    send,
    serve,
    single_entries,
    status,
)
from chappe.cli.output import report_error
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
app.add_typer(lists.suppressions, name="suppressions")
app.add_typer(lists.consents, name="consents")
app.add_typer(people.app, name="people")
single_entries.add_to(lists.suppressions, lists.consents)


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
