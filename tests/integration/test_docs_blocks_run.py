"""Every block of commands of the documentation does what it says, as it stands, on a machine with Apache Kafka."""

from __future__ import annotations

import doctest
import os
import re
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from stream_kpi.brokers import Broker
from tests.conftest import REPOSITORY, broker_or_skip
from tests.docs_kit import LANGUAGES, Step, blocks_of, pages, steps_of

NOT_RUN = {
    "make test": "is what runs this",
    "pip install .": "from the index, into the Python that runs this",
    "docker compose up --build --wait": "Docker; tests/contracts/test_project_deploy.py reads the file",
    (
        "kubectl create secret generic stream-kpi --from-file=kafka-password --from-file=kafka-ca.pem "
        "--from-file=web-token"
    ): "a cluster",
    "kubectl apply -k deploy/kubernetes": "a cluster; tests/contracts/test_project_kubernetes.py reads the files",
}
"""What needs more than that, and what it is."""
UNTIL_CTRL_C = {"make demo", "stream-kpi worker"}
READY = "http://127.0.0.1:6066/health/ready"
"""Says 200 as soon as one of these does its work: at the address that the pages name."""
START_S = 300.0
END_S = 30.0
BROKER_OF_THE_PAGES = re.compile(r"kafka-\d:9092")
PAGES = {str(page.relative_to(REPOSITORY)): page.read_text(encoding="utf-8") for page in pages(REPOSITORY)}


def steps(page: str) -> list[Step]:
    return [step for block in blocks_of(PAGES[page]) for step in steps_of(block)]


RUN = [page for page in PAGES if steps(page)]


@pytest.fixture
def broker() -> Iterator[Broker]:
    """Apache Kafka for one page alone: each names topics and apps as if there were no other."""
    with broker_or_skip("kafka") as broker:
        yield broker


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """The repository, to write beside; installed already, for that is what `make` has done to run this."""
    for entry in REPOSITORY.iterdir():
        if not entry.name.startswith("."):
            (tmp_path / entry.name).symlink_to(entry)
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv" / "bin").symlink_to(REPOSITORY / ".venv" / "bin")
    (tmp_path / ".venv" / "ready-to-run").touch()
    return tmp_path


class Reader:
    """Types the commands of a page into a shell, in a folder."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        self._folder = folder
        self._broker = broker
        self._environment = {**os.environ, "PATH": f"{folder / '.venv' / 'bin'}:{os.environ['PATH']}", "COLUMNS": "200"}

    def follow(self, step: Step) -> None:
        """Run the commands; those that last until they are up, then until Ctrl-C. All must end with 0."""
        commands = [command for command in step.commands if command not in NOT_RUN]
        if not commands:
            return
        script = BROKER_OF_THE_PAGES.sub(self._broker.address, "\n".join(commands))
        if commands[-1] in UNTIL_CTRL_C:
            self._until_ctrl_c(script, step.output)
            return
        shell = ["bash", "-euo", "pipefail", "-c", script]
        done = subprocess.run(
            shell,
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
        if step.output is not None:
            said = done.stderr + done.stdout
            assert says(step.output, said), f"{script}\n{said}"

    def _until_ctrl_c(self, script: str, output: str | None) -> None:
        assert not listens(READY), f"{READY} is answered before anything is started"
        keyboard, terminal = os.openpty()
        said = self._folder / "said.txt"
        with said.open("wb") as file:
            shell = subprocess.Popen(
                # A session whose terminal this is: Ctrl-C there reaches what it would reach under somebody's hand.
                ["setsid", "--ctty", "bash", "-euo", "pipefail", "-c", script],
                cwd=self._folder,
                env=self._environment,
                stdin=terminal,
                stdout=file,
                stderr=subprocess.STDOUT,
            )
        os.close(terminal)
        family: list[psutil.Process] = []
        try:
            deadline_s = time.monotonic() + START_S
            # A machine that is slow says in between how far it is: the page's ellipsis stands for that too.
            while not (listens(READY) and (output is None or says(*map(without_numbers, (output, said.read_text()))))):
                assert shell.poll() is None, f"{script}\n{said.read_text()}"
                assert time.monotonic() < deadline_s, f"{script}\n{said.read_text()}"
                time.sleep(0.1)  # between two looks, until the deadline
            family = psutil.Process(shell.pid).children(recursive=True)
            os.write(keyboard, b"\x03")
            assert shell.wait(END_S) == 0, f"{script}\n{said.read_text()}"
            assert psutil.wait_procs(family, timeout=END_S)[1] == []
        finally:
            if shell.poll() is None:
                for process in psutil.Process(shell.pid).children(recursive=True):
                    process.kill()
                shell.kill()
                shell.wait()
            os.close(keyboard)


def listens(url: str) -> bool:
    """Whether an address answers with 200."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def without_numbers(text: str) -> str:
    """What lasts goes on with the day: its numbers are of the moment."""
    return re.sub(r"\d[\d,.]*", "0", text)


def says(wanted: str, said: str) -> bool:
    return doctest.OutputChecker().check_output(wanted, said, doctest.ELLIPSIS)


@pytest.mark.kafka
@pytest.mark.slow
@pytest.mark.parametrize("page", RUN)
def test_every_command_of_a_page_runs_as_it_stands(page: str, checkout: Path, broker: Broker) -> None:
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", 6066)) != 0, "port 6066, which the pages name, is taken"
    reader = Reader(checkout, broker)
    for block in blocks_of(PAGES[page]):
        if block.file:
            (checkout / block.file).write_text(block.text, encoding="utf-8")
        for step in steps_of(block):
            reader.follow(step)


def test_what_is_not_run_is_still_in_the_pages() -> None:
    shown = {
        line for page in RUN for block in blocks_of(PAGES[page]) for step in steps_of(block) for line in step.commands
    }
    assert set(NOT_RUN) <= shown
    assert shown >= UNTIL_CTRL_C


def test_no_command_stands_where_it_would_not_be_run() -> None:
    program = r"\$ |(?:stream-kpi|make|pip|docker|kubectl|curl|export|python3?|git) "
    hidden = {page: re.findall(rf"^ {{4}}(?:{program}).*$", text, re.MULTILINE) for page, text in PAGES.items()}
    assert {page: lines for page, lines in hidden.items() if lines} == {}
    foreign = {page: [block.language for block in blocks_of(text)] for page, text in PAGES.items()}
    assert {page: found for page, found in foreign.items() if not LANGUAGES.issuperset(found)} == {}


def test_what_lasts_is_the_last_command_of_its_shell() -> None:
    for page in RUN:
        assert all(UNTIL_CTRL_C.isdisjoint(step.commands[:-1]) for step in steps(page)), page
