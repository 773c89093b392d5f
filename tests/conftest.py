"""Fixtures that every test may use, and the rule that nothing is skipped unnoticed (STREAM_KPI_NO_SKIPS=1)."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from stream_kpi.brokers import Broker

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED_DATA = REPOSITORY.parent / "shared" / "data"
SHARED_ABSENT = "../shared/data is absent"
"""The one reason to skip that STREAM_KPI_NO_SKIPS=1 accepts: the data is not part of the repository."""

# Taken out of the environment: the programs under test refuse variables that are no settings.
NO_SKIPS = os.environ.pop("STREAM_KPI_NO_SKIPS", "") == "1"

_skips: dict[str, str] = {}

# How long an example takes tells how busy the machine is, and nothing of the code: no test may fail by it.
settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the repository."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real input beside the repository."""
    if not SHARED_DATA.is_dir():
        pytest.skip(SHARED_ABSENT)
    return SHARED_DATA


@contextmanager
def broker_or_skip(which: str) -> Iterator[Broker]:
    """A broker; where there can be none, the test is skipped with the reason."""
    from stream_kpi.brokers import BrokerUnavailableError, start_broker

    try:
        broker = start_broker(which)
    except BrokerUnavailableError as error:
        pytest.skip(str(error))
    with broker:
        yield broker


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[Broker]:
    """The broker from the wheel: no transactions, no compaction. Shared: use topic_prefix."""
    with broker_or_skip("embedded") as broker:
        yield broker


@pytest.fixture(scope="session")
def kafka_broker() -> Iterator[Broker]:
    """Apache Kafka, one node. Shared: use topic_prefix."""
    with broker_or_skip("kafka") as broker:
        yield broker


@pytest.fixture
def topic_prefix() -> str:
    """Begins the topics, groups and app ids of one test, so that tests share a broker and see nothing of each other."""
    return f"t{uuid.uuid4().hex[:10]}"


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test is decided by the STREAM_KPI_* variables of whoever runs it."""
    for name in [name for name in os.environ if name.startswith("STREAM_KPI_")]:
        monkeypatch.delenv(name)


def pytest_sessionstart() -> None:
    """No test is run on what was compiled from another source."""
    for library in (REPOSITORY / "stream_kpi").rglob("*.so"):
        source = library.with_name(f"{library.name.partition('.')[0]}.py")
        if source.exists() and source.stat().st_mtime > library.stat().st_mtime:
            remedy = "`python build_core.py` compiles it again, with --clean pure Python runs"
            pytest.exit(f"{source} has changed since it was compiled: {remedy}", returncode=2)


def _note_skip(nodeid: str, longrepr: object) -> None:
    reason = str(longrepr[2]) if isinstance(longrepr, tuple) else str(longrepr)
    if SHARED_ABSENT not in reason:
        _skips[nodeid] = reason


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _note_skip(report.nodeid, report.longrepr)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    if report.skipped:
        _note_skip(report.nodeid, report.longrepr)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if NO_SKIPS and _skips and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if NO_SKIPS and _skips:
        terminalreporter.section("skipped, but STREAM_KPI_NO_SKIPS=1")
        for nodeid, reason in _skips.items():
            terminalreporter.line(f"{nodeid}: {reason}")
