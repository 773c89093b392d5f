"""Apache Kafka's jars: from Maven Central into the user's cache folder, once."""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from stream_kpi.brokers.base import BrokerUnavailableError

KAFKA_VERSION = "4.1.0"
JAVA_AT_LEAST = 17
_MAVEN_TIMEOUT_S = 600
_DEPENDENCY_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
# Without the log4j binding Kafka writes no log at all, and a failed start could not say why.
_POM = f"""\
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>stream-kpi</groupId>
  <artifactId>kafka-libs</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>org.apache.kafka</groupId>
      <artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version>
    </dependency>
    <dependency>
      <groupId>org.apache.logging.log4j</groupId>
      <artifactId>log4j-slf4j-impl</artifactId>
      <version>2.24.3</version>
    </dependency>
  </dependencies>
</project>
"""


def java_program() -> str:
    """Return the path of a Java that can run Kafka. Raises BrokerUnavailableError when there is none."""
    needed = f"Apache Kafka needs Java {JAVA_AT_LEAST} or newer"
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin" if home else None) or shutil.which("java")
    if program is None:
        message = f"{needed}; there is no java on the PATH (Debian: apt-get install default-jre-headless)."
        raise BrokerUnavailableError(message)
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, check=False, timeout=60)
    version = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    if version is None or int(version[1]) < JAVA_AT_LEAST:
        found = f"version {version[1]}" if version else "of no known version"
        message = f"{needed}; {program} is {found}."
        raise BrokerUnavailableError(message)
    return program


def jars_folder() -> Path:
    """Return where the jars are kept, whether they are there or not."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "stream-kpi" / f"kafka-{KAFKA_VERSION}" / "libs"


def kafka_jars() -> Path:
    """Return the folder with Kafka's jars, downloading them the first time (about 45 MB, seconds to a minute).

    Several processes may ask at once: one downloads, the others wait. Raises BrokerUnavailableError.
    """
    libs = jars_folder()
    if libs.is_dir():
        return libs
    libs.parent.mkdir(parents=True, exist_ok=True)
    with (libs.parent / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not libs.is_dir():
            _download(libs)
    return libs


def _download(libs: Path) -> None:
    """Fill ``libs`` whole or not at all."""
    maven = shutil.which("mvn")
    if maven is None:
        message = f"Apache Kafka's jars are not in {libs}, and there is no mvn on the PATH to get them."
        raise BrokerUnavailableError(message)
    with tempfile.TemporaryDirectory(dir=libs.parent, prefix="download-") as folder:
        download = Path(folder)
        (download / "pom.xml").write_text(_POM)
        arguments = [maven, "-q", "-B", f"{_DEPENDENCY_PLUGIN}:copy-dependencies"]
        arguments += ["-DincludeScope=runtime", f"-DoutputDirectory={download / 'libs'}"]
        try:
            result = subprocess.run(
                arguments, cwd=download, capture_output=True, text=True, check=False, timeout=_MAVEN_TIMEOUT_S
            )
        except subprocess.TimeoutExpired as error:
            message = f"Apache Kafka's jars did not arrive from Maven Central within {_MAVEN_TIMEOUT_S} s."
            raise BrokerUnavailableError(message) from error
        if result.returncode != 0:
            complaints = [line for line in result.stdout.splitlines() if line.startswith("[ERROR]")]
            reason = complaints[0] if complaints else f"mvn ended with status {result.returncode}"
            message = f"Apache Kafka's jars could not be had from Maven Central: {reason}"
            raise BrokerUnavailableError(message)
        (download / "libs").rename(libs)
