from __future__ import annotations

import signal
import stat
from pathlib import Path

import httpx
import pytest
from tests.commands import Run, run_chappe

from .conftest import Process, free_port, served


def test_the_first_start_prints_what_to_paste(tmp_path: Path) -> None:
    with served(tmp_path, "--port", "0") as process:
        url = process.started()
        pasted = dict(
            line.strip().removeprefix("export ").split("=", 1) for line in process.printed if "export" in line
        )
        assert pasted["AWS_ENDPOINT_URL"] == pasted["CHAPPE_URL"] == url
        assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "CHAPPE_API_KEY"} <= pasted.keys()
        environment = {name: pasted[name] for name in ("CHAPPE_URL", "CHAPPE_API_KEY")}
        assert run_chappe(tmp_path, "queues", env=environment).code == 0
        assert stat.S_IMODE((process.data / "credentials.env").stat().st_mode) == 0o600
        assert process.stop() == 0
    with served(tmp_path, "--port", "0") as process:
        process.started()
        assert not [line for line in process.printed if "SECRET" in line]
        assert run_chappe(tmp_path, "queues", "--data", process.data).code == 0, "the new port is known by the folder"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_in_order_when_asked(tmp_path: Path, number: signal.Signals) -> None:
    with served(tmp_path, "--port", "0") as process:
        process.started()
        assert process.stop(number) == 0
        assert "Traceback" not in process.log


def test_open_accepts_anyone_and_only_on_this_machine(chappe: Run, tmp_path: Path) -> None:
    refused = chappe("serve", "--open", "--host", "0.0.0.0")
    assert refused.code == 2
    assert refused.err.startswith("chappe: error [invalid_configuration]: ")
    assert not (tmp_path / "chappe-data").exists()
    with served(tmp_path, "--port", "0", "--open") as process:
        url = process.started()
        assert httpx.get(f"{url}/v1/queues").status_code == 200
        assert httpx.get(f"{url}/v1/queues", headers={"origin": "http://evil.example"}).status_code == 403


def test_two_servers_on_one_folder_are_refused(tmp_path: Path) -> None:
    with served(tmp_path, "--port", "0") as process:
        process.started()
        second = run_chappe(tmp_path, "serve", "--port", "0", "--data", process.data)
        assert second.code == 1
        assert second.err.startswith("chappe: error [data_folder_in_use]: ")


def test_a_port_in_use_is_told(tmp_path: Path) -> None:
    with served(tmp_path, "--port", "0") as process:
        port = process.started().rpartition(":")[2]
        second = run_chappe(tmp_path, "serve", "--port", port, "--data", tmp_path / "other")
        assert second.code == 2
        assert f"Cannot listen on 127.0.0.1:{port}" in second.err
        assert second.err.count("\n") == 1


def test_a_host_that_is_no_address_is_told(tmp_path: Path) -> None:
    done = run_chappe(tmp_path, "serve", "--host", "no-such-host.invalid", "--data", tmp_path / "data")
    assert done.code == 2
    assert "Cannot listen on no-such-host.invalid:9324: " in done.err
    assert "Unknown error" not in done.err


def test_a_bad_setting_is_told_with_its_place(chappe: Run, tmp_path: Path) -> None:
    (tmp_path / "chappe.toml").write_text("[server]\nprot = 1\n")
    done = chappe("serve", "--config", "chappe.toml")
    assert done.code == 2
    assert done.err.startswith(
        "chappe: error [invalid_configuration]: chappe.toml: server.prot: there is no such setting"
    )
    assert chappe("serve", env={"CHAPPE_SERVER_PORT": "x"}).err.startswith(
        "chappe: error [invalid_configuration]: CHAPPE_SERVER_PORT: "
    )
    assert "--port" in chappe("serve", "--port", "70000").err
    assert not (tmp_path / "chappe-data").exists()


def test_the_environment_names_the_file(tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "settings.toml").write_text(f"[server]\nport = {port}\n")
    process = Process(tmp_path, "--config", "settings.toml")
    try:
        assert process.started().endswith(f":{port}")
    finally:
        process.stop()


@pytest.mark.parametrize("lost", ["queues.db", "records.db"])
@pytest.mark.parametrize("how", ["removed", "emptied"])
def test_a_lost_database_is_never_replaced_by_an_empty_one(tmp_path: Path, lost: str, how: str) -> None:
    with served(tmp_path, "--port", "0") as process:
        process.started()
        assert process.stop() == 0
        data = process.data
    for path in data.glob(f"{lost}*"):
        path.unlink()
    if how == "emptied":
        (data / lost).touch()
    refused = run_chappe(tmp_path, "serve", "--port", "0", "--data", data)
    assert refused.code == 1
    assert refused.err.startswith("chappe: error [data_damaged]: ")
    assert lost in refused.err
    assert run_chappe(tmp_path, "doctor", "--data", data).code == 1


def test_keys_may_be_made_before_the_first_start(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    assert run_chappe(tmp_path, "keys", "create", "--data", data).code == 0
    with served(tmp_path, "--port", "0") as process:
        process.started()


def test_a_folder_that_others_can_look_into_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o755)
    with served(tmp_path, "--port", "0") as process:
        process.started()
        assert "data_folder_open_to_others" in process.log
        assert process.stop() == 0
    (tmp_path / "data").chmod(0o700)
    (tmp_path / "data" / "server-secret").unlink()
    (tmp_path / "data" / "audit-key").unlink()
    with served(tmp_path, "--port", "0") as process:
        process.started()
        assert "server_secret_missing" in process.log
        assert "audit_key_missing" in process.log
        assert process.log.count("data_folder_open_to_others") == 1


def test_everything_in_the_data_folder_is_private(tmp_path: Path) -> None:
    with served(tmp_path, "--port", "0") as process:
        process.started()
        open_to_others = [path.name for path in process.data.iterdir() if path.stat().st_mode & 0o077]
        assert not open_to_others
        assert stat.S_IMODE(process.data.stat().st_mode) == 0o700
