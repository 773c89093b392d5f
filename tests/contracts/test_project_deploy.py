"""What is deployed fits the program: compose file, image, Prometheus, make, version."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml

from stream_kpi.brokers.kafka_jars import KAFKA_VERSION
from stream_kpi.settings import load_settings

# The parts of the Compose Specification that the file uses.
SERVICE_KEYS = {
    "build", "cap_drop", "command", "cpus", "depends_on", "entrypoint", "environment", "healthcheck", "image",
    "mem_limit", "ports", "profiles", "read_only", "restart", "security_opt", "stop_grace_period", "tmpfs", "user",
    "volumes",
}  # fmt: skip
HEALTHCHECK_KEYS = {"disable", "test", "interval", "timeout", "retries", "start_period"}
DURATION = re.compile(r"\d+(us|ms|s|m|h)")


@pytest.fixture(scope="module")
def compose(repository: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((repository / "docker-compose.yml").read_text())
    return loaded


def has_compose() -> bool:
    docker = shutil.which("docker")
    return (
        docker is not None
        and subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0
    )


def test_compose_itself_accepts_the_file_where_it_is_installed_else_its_shape_is_that_of_the_specification(
    repository: Path, compose: dict[str, Any]
) -> None:
    if has_compose():
        subprocess.run(["docker", "compose", "config", "--quiet"], cwd=repository, check=True)
    assert {key for key in compose if not key.startswith("x-")} == {"name", "services", "volumes"}
    for name, service in compose["services"].items():
        assert set(service) <= SERVICE_KEYS, name
        assert isinstance(service.get("command", []), list), name
        assert all(isinstance(value, str) for value in service.get("environment", {}).values()), name
        check = service.get("healthcheck", {})
        assert set(check) <= HEALTHCHECK_KEYS, name
        assert all(DURATION.fullmatch(check[key]) for key in ("interval", "timeout", "start_period") if key in check)


def test_the_cluster_has_its_parts_and_each_that_runs_on_says_whether_it_is_well(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert set(services) == {
        "kafka", "topic-init", "redis", "worker-1", "worker-2", "exporter", "simulator", "prometheus", "alertmanager",
        "grafana",
    }  # fmt: skip
    assert {name for name, service in services.items() if "test" not in service["healthcheck"]} == {
        "topic-init", "simulator",
    }  # fmt: skip
    assert {name for name, service in services.items() if "profiles" in service} == {"simulator"}


def test_every_service_is_bounded_gains_no_rights_and_writes_to_its_volumes_alone(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["cpus"] > 0, name
        assert re.fullmatch(r"\d+[mg]", service["mem_limit"]), name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["read_only"] is (name != "kafka"), name
        assert service.get("user", "1000:1000") != "0", name


def test_what_is_mounted_from_here_is_read_only(compose: dict[str, Any]) -> None:
    named = set(compose["volumes"])
    for name, service in compose["services"].items():
        for source, _, rest in (volume.partition(":") for volume in service.get("volumes", [])):
            assert source in named or (source.startswith("./deploy/") and rest.endswith(":ro")), name


def test_what_a_service_waits_for_exists_and_can_come_about(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for service in services.values():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "healthcheck" in services[needed]
            else:
                assert how["condition"] == "service_completed_successfully", needed
                assert services[needed]["restart"] == "no"


def test_every_image_is_pinned_and_no_port_is_open_to_the_network(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert re.search(r":v?\d+\.\d", service["image"]), name
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", [])), name


def test_the_clusters_kafka_is_the_one_that_the_tests_run_on(compose: dict[str, Any]) -> None:
    assert compose["services"]["kafka"]["image"] == f"apache/kafka:{KAFKA_VERSION}"


@pytest.mark.parametrize("name", ["worker-1", "topic-init", "exporter", "simulator"])
def test_the_services_settings_are_settings(
    compose: dict[str, Any], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable, value in compose["services"][name]["environment"].items():
        monkeypatch.setenv(variable, value)
    settings = load_settings()
    assert settings.broker.address == "kafka:9092"
    assert settings.web.host == "0.0.0.0"


def test_prometheus_scrapes_every_worker_where_it_listens(repository: Path, compose: dict[str, Any]) -> None:
    config = yaml.safe_load((repository / "deploy" / "prometheus" / "prometheus.yml").read_text())
    (job,) = [one for one in config["scrape_configs"] if one["job_name"] == "stream-kpi"]
    workers = {name for name in compose["services"] if name.startswith("worker-")}
    assert set(job["static_configs"][0]["targets"]) == {f"{name}:6066" for name in workers}


def test_kpis_come_from_the_exporter_alone_and_what_tells_of_the_pipeline_from_the_workers(
    repository: Path, compose: dict[str, Any]
) -> None:
    config = yaml.safe_load((repository / "deploy" / "prometheus" / "prometheus.yml").read_text())
    jobs = {job["job_name"]: job for job in config["scrape_configs"]}
    assert jobs["stream-kpi-exporter"]["static_configs"] == [{"targets": ["exporter:6066"]}]
    assert "exporter" in compose["services"]
    assert "metric_relabel_configs" not in jobs["stream-kpi-exporter"]
    assert jobs["stream-kpi"]["metric_relabel_configs"] == [
        {"source_labels": ["__name__"], "regex": "kpi_.*", "action": "drop"}
    ]


def test_the_image_runs_as_no_root_and_is_built_of_files_that_exist(repository: Path) -> None:
    lines = (repository / "Dockerfile").read_text().splitlines()
    assert "USER 10001" in lines
    allowed = {line[1:] for line in (repository / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    copied = {
        source for line in lines if line.startswith("COPY ") and "--from" not in line for source in line.split()[1:-1]
    }
    assert copied == allowed
    assert all((repository / source).exists() for source in copied)


def test_the_version_is_the_same_everywhere(repository: Path, compose: dict[str, Any]) -> None:
    version = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["version"]
    assert compose["services"]["worker-1"]["image"] == f"stream-kpi:{version}"


def test_make_lists_what_it_can_do(repository: Path) -> None:
    make = shutil.which("make")
    assert make is not None
    listed = subprocess.run([make, "help"], cwd=repository, capture_output=True, text=True, check=True).stdout
    targets = [line.split()[1] for line in listed.splitlines()]
    assert targets == ["help", "demo", "test", "check", "bench", "fmt", "generated", "screenshots"]


def test_the_core_is_compiled_whole_or_not_at_all(repository: Path) -> None:
    from stream_kpi import entities
    from stream_kpi.lifecycles.ticket import clocks, fold

    suffixes = {Path(module.__file__ or "").suffix for module in (entities, clocks, fold)}
    assert len(suffixes) == 1
    compiled = {path.parent / path.name.partition(".")[0] for path in (repository / "stream_kpi").rglob("*.so")}
    assert (suffixes == {".py"}) is not bool(compiled)


def test_no_class_of_msgspec_is_compiled_which_would_lose_its_options() -> None:
    from build_core import sources

    names = [".".join(path.with_suffix("").parts) for path in sources()]
    assert "stream_kpi.lifecycles.ticket.fold" in names
    for module in map(importlib.import_module, names):
        own = [value for value in vars(module).values() if getattr(value, "__module__", None) == module.__name__]
        assert not [one for one in own if isinstance(one, type) and issubclass(one, msgspec.Struct)], module


def test_without_a_c_compiler_the_build_says_that_pure_python_runs_and_leaves_nothing_compiled(
    repository: Path, tmp_path: Path
) -> None:
    shutil.copy(repository / "build_core.py", tmp_path)
    earlier = tmp_path / "stream_kpi" / "entities.cpython-311.so"
    earlier.parent.mkdir()
    earlier.touch()
    done = subprocess.run(
        [sys.executable, "build_core.py"],
        cwd=tmp_path,
        env={"CC": "none-here"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "pure Python" in done.stderr
    assert "none-here" in done.stderr
    assert not earlier.exists()
