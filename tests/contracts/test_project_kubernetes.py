"""What is deployed to Kubernetes is valid there, runs without rights, and fits the program and its rules."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from typer.main import get_command

from stream_kpi.cli.main import app
from stream_kpi.publish.rules.alert import JOB
from stream_kpi.publish.rules.documents import ALERTS
from stream_kpi.publish.self_metrics import SELF_METRICS
from stream_kpi.settings import load_settings

KUBERNETES = "1.34"
CUSTOM = {"Kustomization", "PrometheusRule", "ScaledObject", "ServiceMonitor"}
"""Kinds that Kubernetes itself does not know."""
Document = dict[str, Any]


@pytest.fixture(scope="module")
def folder(repository: Path) -> Path:
    return repository / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def documents(folder: Path) -> list[Document]:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    texts = [(folder / name).read_text() for name in kustomization["resources"]]
    return [document for text in texts for document in yaml.safe_load_all(text)]


def of_kind(documents: list[Document], *kinds: str) -> dict[str, Document]:
    return {one["metadata"]["name"]: one for one in documents if one["kind"] in kinds}


def pods(documents: list[Document]) -> Iterator[tuple[str, Document]]:
    for name, owner in of_kind(documents, "Deployment", "Job").items():
        yield name, owner["spec"]["template"]["spec"]


def test_every_file_of_the_folder_is_applied_or_is_the_settings(folder: Path) -> None:
    kustomization = yaml.safe_load((folder / "kustomization.yaml").read_text())
    (settings,) = kustomization["configMapGenerator"]
    applied = {*kustomization["resources"], *settings["files"], "kustomization.yaml"}
    assert {path.name for path in folder.iterdir()} == applied


def test_kubernetes_own_kinds_are_what_its_schemas_say(documents: list[Document]) -> None:
    checked = [document for document in documents if document["kind"] not in CUSTOM]
    assert {one["kind"] for one in checked} == {"Deployment", "Job", "NetworkPolicy", "PodDisruptionBudget", "Service"}
    for document in checked:
        kubernetes_validate.validate(document, KUBERNETES, strict=True)


def test_every_pod_runs_as_no_root_writes_to_memory_alone_and_is_bounded(documents: list[Document]) -> None:
    assert dict(pods(documents)).keys() == {"stream-kpi", "stream-kpi-exporter", "stream-kpi-topics"}
    for name, pod in pods(documents):
        assert pod["automountServiceAccountToken"] is False, name
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}, name
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}
            assert "memory" in container["resources"]["limits"]


def test_the_pods_user_is_the_images(repository: Path, documents: list[Document]) -> None:
    (user,) = re.findall(r"^USER (\d+)$", (repository / "Dockerfile").read_text(), re.MULTILINE)
    assert {pod["securityContext"]["runAsUser"] for _, pod in pods(documents)} == {int(user)}


def test_the_image_is_of_this_version(repository: Path, folder: Path, documents: list[Document]) -> None:
    version = tomllib.loads((repository / "pyproject.toml").read_text())["project"]["version"]
    (image,) = yaml.safe_load((folder / "kustomization.yaml").read_text())["images"]
    assert image["newTag"] == version
    assert {one["image"] for _, pod in pods(documents) for one in pod["containers"]} == {image["name"]}


def test_what_is_mounted_is_there_and_is_what_the_settings_name(folder: Path, documents: list[Document]) -> None:
    settings = tomllib.loads((folder / "stream-kpi.toml").read_text())
    named = re.findall(r'"(/[^"]+)"', (folder / "stream-kpi.toml").read_text())
    assert named
    for _, pod in pods(documents):
        volumes = {volume["name"] for volume in pod["volumes"]}
        (container,) = pod["containers"]
        mounts = {mount["mountPath"] for mount in container["volumeMounts"]}
        assert {mount["name"] for mount in container["volumeMounts"]} == volumes
        assert {str(Path(path).parent) for path in named} <= mounts
        assert container["env"] == [{"name": "STREAM_KPI_CONFIG", "value": "/config/stream-kpi.toml"}]
    assert settings["web"]["host"] == "0.0.0.0"
    keys = {Path(path).name for path in named}
    for monitor in of_kind(documents, "ServiceMonitor").values():
        (endpoint,) = monitor["spec"]["endpoints"]
        assert endpoint["authorization"]["credentials"] == {"name": "stream-kpi", "key": "web-token"}
    assert "web-token" in keys


def test_the_settings_are_settings(folder: Path) -> None:
    settings = load_settings(folder / "stream-kpi.toml")
    assert settings.broker.security_protocol == "SASL_SSL"


def test_each_pod_runs_a_command_that_there_is(documents: list[Document]) -> None:
    commands = get_command(app).commands  # type: ignore[attr-defined]
    for name, pod in pods(documents):
        assert pod["containers"][0]["args"][0] in commands, name


def test_probes_and_services_find_the_port_on_which_the_program_listens(
    folder: Path, documents: list[Document]
) -> None:
    port = load_settings(folder / "stream-kpi.toml").web.port
    for deployment in of_kind(documents, "Deployment").values():
        (container,) = deployment["spec"]["template"]["spec"]["containers"]
        assert container["ports"] == [{"name": "http", "containerPort": port}]
        asked = {container[probe]["httpGet"]["path"] for probe in ("startupProbe", "livenessProbe", "readinessProbe")}
        assert asked == {"/health/started", "/health/live", "/health/ready"}
    for service in of_kind(documents, "Service").values():
        assert service["spec"]["ports"] == [{"name": "http", "port": port, "targetPort": "http"}]


def test_what_selects_pods_selects_some(documents: list[Document]) -> None:
    labels = {
        owner["spec"]["template"]["metadata"]["labels"]["app.kubernetes.io/name"]
        for owner in of_kind(documents, "Deployment", "Job").values()
    }
    for document in of_kind(documents, "Service").values():
        assert document["spec"]["selector"]["app.kubernetes.io/name"] in labels
    for kind in ("PodDisruptionBudget", "ServiceMonitor"):
        selected = {one["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] for one in
                    of_kind(documents, kind).values()}  # fmt: skip
        assert selected == {"stream-kpi", "stream-kpi-exporter"}


def test_one_worker_leaves_before_another_joins_and_has_time_to_finish(documents: list[Document]) -> None:
    worker = of_kind(documents, "Deployment")["stream-kpi"]["spec"]
    assert worker["strategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    assert worker["template"]["spec"]["terminationGracePeriodSeconds"] >= 30
    assert "replicas" not in worker, "the ScaledObject decides"


def test_there_are_never_more_workers_than_partitions(documents: list[Document]) -> None:
    scaled = of_kind(documents, "ScaledObject")["stream-kpi"]
    assert scaled["apiVersion"] == "keda.sh/v1alpha1"
    assert scaled["spec"]["scaleTargetRef"] == {"name": "stream-kpi"}
    (container,) = of_kind(documents, "Job")["stream-kpi-topics"]["spec"]["template"]["spec"]["containers"]
    partitions = container["args"][container["args"].index("--partitions") + 1]
    assert scaled["spec"]["maxReplicaCount"] == int(partitions)
    assert 1 < scaled["spec"]["minReplicaCount"] <= scaled["spec"]["maxReplicaCount"]


def test_it_scales_on_a_metric_that_there_is_and_takes_back_only_after_long(documents: list[Document]) -> None:
    spec = of_kind(documents, "ScaledObject")["stream-kpi"]["spec"]
    (trigger,) = spec["triggers"]
    assert trigger["type"] == "prometheus"
    assert trigger["metadata"]["query"] == "max(stream_kpi_lag_seconds)"
    assert "stream_kpi_lag_seconds" in {metric.name for metric in SELF_METRICS}
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    behaviour = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
    assert behaviour["scaleDown"]["stabilizationWindowSeconds"] >= 900


def test_the_workers_job_is_the_one_that_the_rules_know_and_brings_no_kpi_twice(documents: list[Document]) -> None:
    services, monitors = of_kind(documents, "Service"), of_kind(documents, "ServiceMonitor")
    assert JOB in services
    assert services[JOB]["metadata"]["labels"] == monitors[JOB]["spec"]["selector"]["matchLabels"]
    (worker,) = monitors[JOB]["spec"]["endpoints"]
    assert worker["metricRelabelings"] == [{"sourceLabels": ["__name__"], "regex": "kpi_.*", "action": "drop"}]
    (exporter,) = monitors["stream-kpi-exporter"]["spec"]["endpoints"]
    assert "metricRelabelings" not in exporter


def test_every_alert_is_among_the_rules_once(documents: list[Document]) -> None:
    rules = of_kind(documents, "PrometheusRule")["stream-kpi"]
    assert rules["apiVersion"] == "monitoring.coreos.com/v1"
    names = [rule["alert"] for group in rules["spec"]["groups"] for rule in group["rules"] if "alert" in rule]
    assert sorted(names) == sorted(alert.name for alert in ALERTS)
