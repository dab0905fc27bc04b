from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from chappe.channels.settings import SandboxSettings, Secret, SmtpSettings, WebhookSettings
from chappe.config import Config, load_config
from chappe.model.customer import Channel
from chappe.model.errors import InvalidConfiguration

MAIL = """
[providers.mail]
kind = "smtp"
host = "smtp.acme.example"
sender = "Acme <no-reply@acme.example>"
"""
Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def make(text: str) -> Path:
        file = tmp_path / "chappe.toml"
        file.write_text(text, encoding="utf-8")
        return file

    return make


def test_without_a_file_there_are_defaults() -> None:
    config = load_config(environ={})
    assert config == Config()
    assert (config.server.host, config.server.port, config.server.open) == ("127.0.0.1", 9324, False)
    assert config.aws.region == "us-east-1"
    assert config.pipeline.max_attempts == 7
    assert config.channel_routes == {Channel.WEBHOOK: ("webhook",), Channel.SANDBOX: ("sandbox",)}


def test_a_file_sets_what_it_names(write: Write, tmp_path: Path) -> None:
    config = load_config(
        write(
            """
            [server]
            port = 9400
            data = "data"
            public_url = "https://messages.acme.example"
            [aws]
            region = "eu-west-1"
            [compliance]
            rules = ["rules", "/etc/chappe/rules"]
            [pipeline]
            backoff_factor = 3
            """
        ),
        environ={},
    )
    assert config.server.port == 9400
    assert config.server.data == tmp_path / "data", "relative to the file"
    assert config.server.host == "127.0.0.1"
    assert config.aws.region == "eu-west-1"
    assert config.compliance.rules == (tmp_path / "rules", Path("/etc/chappe/rules"))
    assert config.pipeline.backoff_factor == 3.0


def test_providers_and_routes(write: Write) -> None:
    config = load_config(
        write(
            MAIL
            + """
            [providers.reserve]
            kind = "smtp"
            host = "127.0.0.1"
            security = "none"
            sender = "no-reply@acme.example"
            [providers.play]
            kind = "sandbox"
            keep = 5
            [providers.webhook]
            allow_http = true
            [routes]
            sms = ["play", "sandbox"]
            """
        ),
        environ={},
    )
    assert isinstance(config.providers["mail"], SmtpSettings)
    assert config.providers["play"] == SandboxSettings(keep=5)
    assert config.providers["webhook"] == WebhookSettings(allow_http=True), "a built-in one can be adjusted"
    assert config.channel_routes == {
        Channel.EMAIL: ("mail", "reserve"),
        Channel.SMS: ("play", "sandbox"),
        Channel.WEBHOOK: ("webhook",),
        Channel.SANDBOX: ("sandbox",),
    }


def test_a_stated_route_counts_even_if_it_is_empty(write: Write) -> None:
    assert Channel.EMAIL not in load_config(write(MAIL + "[routes]\nemail = []"), environ={}).channel_routes


def test_option_then_environment_then_file(write: Write) -> None:
    file = write("[server]\nhost = '127.0.0.3'\nport = 3\nopen = false\n")
    environ = {"CHAPPE_SERVER_HOST": "127.0.0.2", "CHAPPE_SERVER_PORT": "2"}
    config = load_config(file, environ=environ, options={"server.host": ("--host", "127.0.0.1")})
    assert (config.server.host, config.server.port) == ("127.0.0.1", 2)


def test_the_environment_speaks_in_texts() -> None:
    config = load_config(
        environ={
            "CHAPPE_SERVER_OPEN": "true",
            "CHAPPE_LIMITS_IDLE_SECONDS": "2.5",
            "CHAPPE_PIPELINE_MAX_ATTEMPTS": "3",
            "CHAPPE_AWS_ACCOUNT": "123456789012",
            "CHAPPE_SERVER_DATA": "here",
            "CHAPPE_ROUTES_EMAIL": "sandbox",
            "CHAPPE_COMPLIANCE_RULES": "/a, /b",
        }
    )
    assert config.server.open is True
    assert config.limits.idle_seconds == 2.5
    assert config.pipeline.max_attempts == 3
    assert config.aws.account == "123456789012"
    assert config.server.data == Path.cwd() / "here"
    assert config.routes.email == ("sandbox",)
    assert config.compliance.rules == (Path("/a"), Path("/b"))


def test_the_environment_reaches_providers(write: Write) -> None:
    environ = {
        "CHAPPE_PROVIDERS_MAIL_USERNAME": "acme",
        "CHAPPE_PROVIDERS_MAIL_PASSWORD": "hunter2",
        "CHAPPE_PROVIDERS_MAIL_BACKUP_KIND": "smtp",
        "CHAPPE_PROVIDERS_MAIL_BACKUP_HOST": "backup.acme.example",
        "CHAPPE_PROVIDERS_MAIL_BACKUP_SENDER": "no-reply@acme.example",
        "CHAPPE_PROVIDERS_MAIL_BACKUP_IDLE_SECONDS": "7",
        "CHAPPE_PROVIDERS_WEBHOOK_ALLOWED_NETWORKS": "10.0.0.0/8,127.0.0.0/8",
        "CHAPPE_PROVIDERS_SANDBOX_FAIL_ONCE": '["a,b@*"]',
    }
    providers = load_config(write(MAIL), environ=environ).providers
    assert providers["mail"] == SmtpSettings(
        host="smtp.acme.example",
        sender="Acme <no-reply@acme.example>",
        username="acme",
        password=Secret("hunter2"),
    )
    assert providers["mail-backup"] == SmtpSettings(
        host="backup.acme.example", sender="no-reply@acme.example", idle_seconds=7.0
    )
    assert providers["webhook"] == WebhookSettings(allowed_networks=("10.0.0.0/8", "127.0.0.0/8"))
    assert providers["sandbox"] == SandboxSettings(fail_once=("a,b@*",))


def test_lists_of_tables_are_json_in_the_environment() -> None:
    secret = "whsec_" + "A" * 32
    environ = {
        "CHAPPE_PROVIDERS_WEBHOOK_ENDPOINTS": msgspec.json.encode(
            [{"url_prefix": "https://a.example/", "secret": secret}]
        ).decode()
    }
    webhook = load_config(environ=environ).providers["webhook"]
    assert isinstance(webhook, WebhookSettings)
    assert webhook.endpoints[0].secret == Secret(secret)


def test_variables_of_others_are_passed_over() -> None:
    environ = {
        "CHAPPE_URL": "http://127.0.0.1:9324",
        "CHAPPE_API_KEY": "chp_x",
        "CHAPPE_CONFIG": "chappe.toml",
        "CHAPPE_SERVICE_HOST": "10.0.0.1",
        "CHAPPE_PORT": "tcp://10.0.0.1:9324",
        "CHAPPE_PORT_9324_TCP_PROTO": "tcp",
        "OTHER": "x",
    }
    assert load_config(environ=environ) == Config()


def test_secrets_from_the_environment_and_from_files(write: Write, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("hunter2\n")
    secret = "whsec_" + "A" * 32
    (tmp_path / "hook").write_text(secret)
    config = load_config(
        write(
            MAIL
            + """
            username = "acme"
            password_file = "password"
            [providers.webhook]
            secret = "env:HOOK_SECRET"
            [[providers.webhook.endpoints]]
            url_prefix = "https://a.example/"
            secret_file = "hook"
            """
        ),
        environ={"HOOK_SECRET": secret},
    )
    mail, webhook = config.providers["mail"], config.providers["webhook"]
    assert isinstance(mail, SmtpSettings)
    assert isinstance(webhook, WebhookSettings)
    assert mail.password == Secret("hunter2")
    assert webhook.secret == Secret(secret)
    assert webhook.endpoints[0].secret == Secret(secret)
    assert "hunter2" not in repr(config)
    assert secret not in repr(config)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nprot = 1", "server.prot: there is no such setting; did you mean port?"),
        ("[sever]\nport = 1", "sever: there is no such setting; did you mean server?"),
        ("port = 1", "port: there is no such setting; "),
        ("[server]\nport = 70000", "server.port: must be a whole number <= 65535, not 70000"),
        ('[server]\nport = "9324"', "server.port: must be a whole number, not '9324'"),
        ("[server]\nport = true", "server.port: must be a whole number, not True"),
        ("[server]\nopen = 1", "server.open: must be true or false, not 1"),
        ("server = 1", "server: must be a table"),
        ("providers = 1", "providers: must be a table of providers"),
        ("providers.mail = 1", "providers.mail: must be a table"),
        ("[providers.mail]\nhost = 'x'", 'providers.mail.kind: is missing; allowed: "smtp", "webhook", "sandbox"'),
        ("[providers.mail]\nkind = 'smpt'", "providers.mail.kind: 'smpt' is no kind of provider; allowed: "),
        ("[providers.Mail]\nkind = 'smtp'", "providers.Mail: a provider's name has"),
        ("[providers.mail]\nkind = 'smtp'\nhost = 'x'", "providers.mail.sender: is missing"),
        (MAIL + "security = 'ssl'", "providers.mail.security: "),
        (MAIL + "security = 'none'", "providers.mail.security: "),
        (MAIL + "username = 'x'", "providers.mail.password: is needed with a username"),
        (
            MAIL + "username = 'x'\npassword = 'env:NOPE'",
            "providers.mail.password: the environment variable NOPE is not set",
        ),
        (MAIL + "username = 'x'\npassword_file = 'nope'", "providers.mail.password_file: the file "),
        (MAIL + "password = 'a'\npassword_file = 'b'", "providers.mail.password_file: is given besides password"),
        (MAIL + "secret = 'a'", "providers.mail.secret: there is no such setting"),
        (MAIL.replace("Acme <no-reply@acme.example>", "Acme"), "providers.mail.sender: "),
        ("[routes]\nemail = ['mail']", "routes.email: there is no provider 'mail'; there are: sandbox, webhook"),
        ("[routes]\nemail = ['webhook']", "routes.email: the provider 'webhook' does not serve this channel"),
        ("[routes]\nemail = 'webhook'", "routes.email: must be a list"),
        ("[routes]\nmail = []", "routes.mail: there is no such setting; did you mean email?"),
        ("[server]\nopen = true\nhost = '0.0.0.0'", "server.open: accepts anyone"),
        ("[server]\npublic_url = 'acme.example'", "server.public_url: "),
        ("[server]\npublic_url = 'http://acme.example'", "server.public_url: must start with https://"),
        ("[aws]\naccount = '12'", "aws.account: must be text matching regex '^[0-9]{12}$', not '12'"),
        ("[compliance]\npackaged_rules = false", "compliance.packaged_rules: without them"),
        ("[providers.webhook]\nallowed_networks = ['x']", "providers.webhook.allowed_networks: 'x'"),
        ("[[providers.webhook.endpoints]]\nurl_prefix = 'x'", "providers.webhook.endpoints[0].secret: is missing"),
        ("[providers.webhook]\nendpoints = 3", "providers.webhook.endpoints: must be a list of tables"),
        ("[server", "is not TOML"),
    ],
)
def test_errors_name_the_file_the_key_and_what_is_allowed(write: Write, text: str, message: str) -> None:
    file = write(text)
    with pytest.raises(InvalidConfiguration) as caught:
        load_config(file, environ={})
    assert caught.value.message.startswith(f"{file}: {message}")
    assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("CHAPPE_SERVER_PORT", "many", "CHAPPE_SERVER_PORT: must be a whole number, not 'many'"),
        ("CHAPPE_SERVER_PROT", "1", "CHAPPE_SERVER_PROT: there is no such setting; did you mean port?"),
        ("CHAPPE_SERVER_OPEN", "perhaps", "CHAPPE_SERVER_OPEN: must be true or false, not 'perhaps'"),
        ("CHAPPE_PROVIDERS_MAIL_HSOT", "x", "CHAPPE_PROVIDERS_MAIL_HSOT: is no setting of a provider"),
        ("CHAPPE_PROVIDERS_WEBHOOK_SECRET", "x", "CHAPPE_PROVIDERS_WEBHOOK_SECRET: a webhook secret starts with"),
        ("CHAPPE_PROVIDERS_WEBHOOK_ENDPOINTS", "[", "CHAPPE_PROVIDERS_WEBHOOK_ENDPOINTS: must be a JSON list"),
        ("CHAPPE_ROUTES_EMAIL", "mail", "CHAPPE_ROUTES_EMAIL: there is no provider 'mail'"),
    ],
)
def test_errors_name_the_variable(variable: str, value: str, message: str) -> None:
    with pytest.raises(InvalidConfiguration) as caught:
        load_config(environ={variable: value})
    assert caught.value.message.startswith(message)


def test_errors_name_the_option() -> None:
    with pytest.raises(InvalidConfiguration, match=r"^--port: must be a whole number <= 65535"):
        load_config(environ={}, options={"server.port": ("--port", 70000)})


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidConfiguration, match=r"nope\.toml: cannot be read"):
        load_config(tmp_path / "nope.toml", environ={})


def test_a_secret_is_not_repeated_in_an_error(write: Write) -> None:
    for line in ("secret = 'whsec_c2VjcmV0'", "secret = 12345678"):
        with pytest.raises(InvalidConfiguration) as caught:
            load_config(write(f"[providers.webhook]\n{line}"), environ={})
        assert "c2VjcmV0" not in caught.value.message
        assert "12345678" not in caught.value.message
