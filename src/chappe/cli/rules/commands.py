"""`chappe rules`: what the rules say, and which of them decide.

`validate` and `test` work on files and need no server, unless they are changes to a version of one.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import typer

from chappe.cli.connection import DataOption, JsonOption, KeyOption, UrlOption, connect
from chappe.cli.output import print_json, terminal
from chappe.cli.rules import drafting, versions
from chappe.cli.rules.files import PathsArgument, read_files, text_of
from chappe.cli.rules.tables import problem_table, rule_table, rule_text, trial_table, version_text, warn
from chappe.model.customer import Channel
from chappe.model.errors import InvalidRules

app = typer.Typer(
    no_args_is_help=True,
    help="See the rules, check changes to them, and put versions in force or take them back.",
    rich_markup_mode=None,
)

VersionOption = Annotated[
    int | None, typer.Option("--version", metavar="N", min=1, help="Of this version. [default: the one in force]")
]
BaseOption = Annotated[
    int | None,
    typer.Option("--base", metavar="N", min=1, help="The files hold changes to this version, not a whole set."),
]
RemoveOption = Annotated[
    list[str] | None, typer.Option("--remove", metavar="RULE", help="Leave this rule of the base out. May be repeated.")
]


@app.command("list")
def list_rules(
    jurisdiction: Annotated[str | None, typer.Option(help="Only rules that bind there, such as US-FL.")] = None,
    kind: Annotated[str | None, typer.Option(help="Only rules of this kind, such as quiet_hours.")] = None,
    channel: Annotated[Channel | None, typer.Option(help="Only rules about this channel.")] = None,
    version: VersionOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """List the rules in force."""
    found: list[dict[str, Any]] = []
    with connect(url, api_key, data) as server:
        for page in server.pages(
            "/v1/rules", jurisdiction=jurisdiction, kind=kind, channel=channel and channel.value, version=version
        ):
            found += page["rules"]
    if json:
        print_json(found)
        return
    terminal().print(rule_table(found))
    terminal().print(f"{len(found)} rule{'' if len(found) == 1 else 's'} of version {page['version']}")


@app.command()
def show(
    rule: Annotated[str, typer.Argument(metavar="RULE|N", help="The id of a rule, or the number of a version.")],
    version: VersionOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Show a rule as it is written, with its examples; or a version with all its rules, as a rule file."""
    with connect(url, api_key, data) as server:
        if rule.isdigit():
            found = server.get(f"/v1/rule-sets/{rule}")
            shown = version_text(found)
        else:
            found = server.get(f"/v1/rules/{quote(rule, safe='')}", version=version)
            shown = rule_text(found)
    if json:
        print_json(found)
    else:
        typer.echo(shown)


@app.command()
def validate(
    files: PathsArgument,
    base: BaseOption = None,
    remove: RemoveOption = None,
    url: UrlOption = None,
    api_key: KeyOption = None,
    data: DataOption = None,
    json: JsonOption = False,
) -> None:
    """Find everything that is wrong with rule files: fields, conditions, examples that are not true.

    Needs no server, unless the files are changes to a version of one.
    """
    if base is None:
        found = _checked_here(files)
    else:
        with connect(url, api_key, data) as server:
            document = {"rules": text_of(files), "base": base, "remove": remove or []}
            found = server.post("/v1/rule-sets:validate", document)
    if json:
        print_json(found)
    elif found["valid"]:
        typer.echo(f"{found['rule_count']} rules, nothing wrong")
    else:
        terminal().print(problem_table(found["problems"]))
    if not json:
        warn(found["warnings"])
    if not found["valid"]:
        raise typer.Exit(1)


@app.command("test")
def run_examples(
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Rule files, or folders of them. [default: the rules of Chappe]"),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Run the examples of rules. Needs no server."""
    from chappe.compliance.rule_files.loading import packaged_rule_files, problem_details
    from chappe.compliance.rule_sets.trying import trials

    reading = read_files(files) if files else read_files(packaged_rule_files())
    if reading.problems:
        details = problem_details(reading.problems)
        raise InvalidRules(f"the rules cannot be used: {details.pop('listed')}", **details)
    tried = [trial for rule in reading.rules for trial in trials(rule)]
    wrong = [trial for trial in tried if not trial.as_told]
    without = [rule.id for rule in reading.rules if not rule.examples]
    if json:
        failures = [
            {"rule": trial.rule_id, "says": trial.example.says, "found": trial.found, "reason": trial.reason}
            for trial in wrong
        ]
        print_json({"examples": len(tried), "failures": failures, "rules_without_examples": without})
    else:
        if wrong:
            terminal().print(trial_table(wrong))
        typer.echo(f"{len(tried)} examples of {len(reading.rules)} rules, {len(wrong)} not true")
        if without:
            typer.echo(f"without examples: {', '.join(without)}")
    if wrong:
        raise typer.Exit(1)


def _checked_here(files: list[Path]) -> dict[str, Any]:
    import msgspec

    from chappe.pipeline.rules.checking import check_reading

    checked = check_reading(read_files(files))
    return {
        "valid": not checked.problems,
        "rule_count": len(checked.rules),
        "problems": msgspec.to_builtins(checked.problems),
        "warnings": list(checked.warnings),
    }


app.command("draft")(drafting.draft)
app.command("create")(versions.create)
app.command("versions")(versions.versions)
app.command("diff")(versions.diff)
app.command("dry-run")(versions.dry_run)
app.command("backtest")(versions.backtest)
app.command("activate")(versions.activate)
app.command("rollback")(versions.rollback)
app.command("history")(versions.history)
