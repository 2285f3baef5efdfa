"""The compose file and the image keep what they promise: loopback only, no privileges, limits, hash-locked."""

import re
import shutil
import subprocess

import pytest
from ruamel.yaml import YAML

from tests.house.command import ROOT

COMPOSE = YAML(typ="safe", pure=True).load(ROOT / "docker-compose.yml")
SERVICES = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_reached_from_this_machine_only_and_holds_no_privileges(name):
    """Ports on 127.0.0.1, no capabilities, no new privileges, a memory limit, a pinned image, a health check."""
    service = SERVICES[name]
    assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", []))
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert "mem_limit" in service
    assert not service.get("privileged")
    assert "network_mode" not in service
    assert re.search(r":[\w.-]+$", service["image"])
    assert not service["image"].endswith(":latest")
    assert service["healthcheck"]


@pytest.mark.parametrize("name", sorted(set(SERVICES) - {"kafka"}))
def test_a_service_writes_only_where_it_is_told(name):
    """The root file system is read-only (Kafka's image writes its configuration when it starts)."""
    assert SERVICES[name]["read_only"] is True


def test_two_workers_wait_for_the_topics():
    """A worker starts when `mindgap topics create` has ended well, and that when Kafka is healthy."""
    assert SERVICES["worker"]["deploy"]["replicas"] == 2
    assert SERVICES["worker"]["depends_on"]["topics"]["condition"] == "service_completed_successfully"
    assert SERVICES["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    assert "container_name" not in SERVICES["worker"]


def test_every_file_that_is_mounted_exists():
    """A missing source would be made as an empty folder, silently."""
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (ROOT / source).exists(), source
            else:
                assert source in COMPOSE["volumes"]


def test_the_image_runs_without_root_from_hash_locked_packages():
    """A user of its own, a pinned base, hashes for everything, a health check."""
    stages = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert all(":" in stage and not stage.endswith(":latest") for stage in stages)
    installs = re.findall(r"pip install [^&\n]*", DOCKERFILE)
    assert installs
    assert all("--require-hashes" in line or "--no-index" in line for line in installs)
    last = DOCKERFILE.rpartition("\nFROM ")[2]
    assert re.search(r"^USER \d+:\d+$", last, re.MULTILINE)
    assert "HEALTHCHECK" in last


def test_everything_the_image_copies_is_let_through():
    """`.dockerignore` lets in what the Dockerfile copies from here, and that exists."""
    let_in = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE):
        for source in line.split()[:-1]:
            assert (ROOT / source).exists(), source
            assert source in let_in, source


def test_compose_itself_accepts_the_file():
    """`docker compose config` (or the older docker-compose) finds nothing wrong."""
    plugin = ["docker", "compose"]
    tools = [plugin, ["docker-compose"]] if shutil.which("docker") else [["docker-compose"]]
    for tool in tools:
        if (
            shutil.which(tool[0])
            and subprocess.run([*tool, "version"], capture_output=True, check=False, timeout=30).returncode == 0
        ):
            done = subprocess.run(
                [*tool, "-f", ROOT / "docker-compose.yml", "config", "--quiet"],
                capture_output=True,
                text=True,
                check=False,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            return
    pytest.skip("neither `docker compose` nor docker-compose is on this machine: the file was not given to either")
