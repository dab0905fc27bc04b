"""The rivals that speak SQS. All keep their messages in memory, but for SmoothMQ, which keeps them in SQLite."""

from __future__ import annotations

import time
from pathlib import Path

from bench.process import HOST, free_port
from bench.rivals import installing
from bench.signing import Signer
from bench.sqs_server import SqsServer

_START_SECONDS = 120.0


class Rival(SqsServer):
    """A rival is ready when it answers a request; some listen before they can."""

    def wait_until_answering(self) -> None:
        self.wait_until_listening()
        end = time.monotonic() + _START_SECONDS
        while True:
            try:
                self.call("ListQueues", b"{}")
            except (OSError, RuntimeError):
                if self.process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.1)
            else:
                return


class Moto(Rival):
    """moto's own server (Werkzeug's, with a thread per connection)."""

    name = "moto"

    def __init__(self, folder: Path) -> None:
        port = free_port()
        command = [str(installing.python_of("moto")), "-W", "ignore", "-m", "moto.server", "-H", HOST, "-p", str(port)]
        super().__init__(command, port, environment={"PYTHONWARNINGS": "ignore"})


class LocalStack(Rival):
    """LocalStack's runtime without a container, with SQS alone and without a line of log per request."""

    name = "LocalStack"

    def __init__(self, folder: Path) -> None:
        port = free_port()
        environment = {
            "GATEWAY_LISTEN": f"{HOST}:{port}",
            "SERVICES": "sqs",
            "STRICT_SERVICE_LOADING": "1",
            "EAGER_SERVICE_LOADING": "1",
            "OVERRIDE_IN_DOCKER": "0",
            "FILESYSTEM_ROOT": str(folder / "localstack"),
            "XDG_CACHE_HOME": str(folder / "localstack-cache"),
            "SKIP_SSL_CERT_DOWNLOAD": "1",
            "DISABLE_EVENTS": "1",
            "DNS_ADDRESS": "0",
            "LS_LOG": "error",
        }
        command = [str(installing.python_of("localstack")), "-m", "localstack.runtime.main"]
        super().__init__(command, port, log=folder / "localstack.log", environment=environment)


class ElasticMq(Rival):
    """ElasticMQ's server with messages in memory, its default."""

    name = "ElasticMQ"

    def __init__(self, folder: Path) -> None:
        port = free_port()
        settings = folder / "elasticmq.conf"
        settings.write_text(
            'include classpath("application.conf")\n'
            f'rest-sqs {{ bind-port = {port}, bind-hostname = "{HOST}" }}\nrest-stats {{ enabled = false }}\n'
        )
        libraries = installing.FOLDER / "elasticmq" / "lib" / "*"
        command = ["java", f"-Dconfig.file={settings}", "-cp", str(libraries), "org.elasticmq.server.Main"]
        super().__init__(command, port, log=folder / "elasticmq.log")


class GoAws(Rival):
    """GoAWS with its log of messages off."""

    name = "GoAWS"

    def __init__(self, folder: Path) -> None:
        port = free_port()
        settings = folder / "goaws.yaml"
        settings.write_text(
            f"Local:\n  Host: {HOST}\n  Port: {port}\n  Region: us-east-1\n  AccountId: '000000000000'\n"
            "  LogToFile: false\n"
        )
        command = [str(installing.go_program("goaws")), "-config", str(settings)]
        super().__init__(command, port, log=folder / "goaws.log")


class SmoothMq(Rival):
    """SmoothMQ, which writes to SQLite, with the keys it knows by default."""

    name = "SmoothMQ"
    durable = "SQLite, as it comes"

    def __init__(self, folder: Path) -> None:
        port = free_port()
        command = [str(installing.go_program("smoothmq")), "server", "--log-level", "error"]
        command += ["--sqs-port", str(port), "--sqlite-path", str(folder / "smoothmq.sqlite")]
        command += ["--dashboard-port", str(free_port())]
        super().__init__(command, port, log=folder / "smoothmq.log")

    def signer(self) -> Signer:
        return Signer(self.address, "DEV_ACCESS_KEY_ID", "DEV_SECRET_ACCESS_KEY")
