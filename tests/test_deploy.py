"""The files under deploy/ can be parsed, agree with the code, and say that no test runs them."""

from __future__ import annotations

import configparser
import json
import re
import shlex

import pytest
import yaml
from typer.main import get_command

from avdetect.cli.app import app
from tests.paths import ROOT

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file())
NOT_RUN = "Not run by our tests."


def options_of(command: str) -> set[str]:
    return {name for option in get_command(app).commands[command].params for name in option.opts}


def environment_names() -> set[str]:
    found = {"AVDETECT_WEBHOOK_SECRET"}
    for command in ("serve", "worker"):
        for option in get_command(app).commands[command].params:
            found |= {option.envvar} if option.envvar else set()
    return found


def dockerfile() -> list[list[str]]:
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.M)
    lines = re.sub(r"\\\n", " ", text).splitlines()
    return [line.split(None, 1) for line in lines if line.strip()]


def compose() -> dict:
    return yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, delimiters=("=",), interpolation=None)
    parser.optionxform = str
    parser.read(DEPLOY / "avdetect.service", "utf-8")
    return parser


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_file_says_that_it_is_not_run(path):
    assert NOT_RUN in path.read_text("utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_setting_named_is_one_that_the_service_reads(path):
    named = set(re.findall(r"AVDETECT_[A-Z_]+", path.read_text("utf-8")))
    assert named <= environment_names() | {"AVDETECT_DB_PASSWORD"}


def test_dockerfile_is_of_known_instructions_and_ends_without_root():
    known = {"ARG", "FROM", "RUN", "COPY", "WORKDIR", "ENV", "USER", "VOLUME", "EXPOSE"}
    known |= {"STOPSIGNAL", "HEALTHCHECK", "ENTRYPOINT", "CMD"}
    steps = dockerfile()
    assert {name for name, _ in steps} <= known
    stages = {words.split()[2] for name, words in steps if name == "FROM" and " AS " in words}
    assert {"build-cpu", "build-cuda"} <= stages
    assert [words for name, words in steps if name == "USER"] == ["10001"]
    assert json.loads(next(words for name, words in steps if name == "ENTRYPOINT")) == ["avdetect"]
    command = json.loads(next(words for name, words in steps if name == "CMD"))
    assert command[0] == "serve"
    assert {word for word in command if word.startswith("--")} <= options_of("serve")


def test_compose_is_read_only_without_rights_and_starts_our_commands():
    services = compose()["services"]
    for name in ("server", "worker"):
        service = services[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        command, *options = service["command"]
        assert {word for word in options if word.startswith("--")} <= options_of(command)
        assert (DEPLOY / service["build"]["context"] / service["build"]["dockerfile"]).is_file()
    assert services["server"]["ports"] == ["127.0.0.1:8000:8000"]  # TLS is a proxy's, or --tls-cert
    volumes = {volume.split(":")[0] for s in services.values() for volume in s.get("volumes", [])}
    assert volumes == set(compose()["volumes"])


def test_unit_runs_our_command_as_its_own_user():
    service = unit()["Service"]
    _, command, *options = shlex.split(service["ExecStart"])
    assert {word for word in options if word.startswith("--")} <= options_of(command)
    assert service["User"] not in ("", "root")
    assert service["ProtectSystem"] == "strict"
    # A confined decoding process asks the kernel for a filter: nothing here may forbid that.
    assert "SystemCallFilter" not in service


def test_kubernetes_serves_what_is_there():
    claim, service = yaml.safe_load_all((DEPLOY / "kubernetes/avdetect.yaml").read_text("utf-8"))
    assert claim["kind"] == "PersistentVolumeClaim"
    config = yaml.safe_load(service["spec"]["serveConfigV2"])
    (application,) = config["applications"]
    module, name = application["import_path"].split(":")
    source = (ROOT / module.replace(".", "/")).with_suffix(".py").read_text("utf-8")
    assert f"\n{name} = " in source
    for deployment in application["deployments"]:
        assert f"class {deployment['name']}:" in source
    (group,) = service["spec"]["rayClusterConfig"]["workerGroupSpecs"]
    pod = group["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    volumes = {volume["name"] for volume in pod["volumes"]}
    assert {mount["name"] for mount in pod["containers"][0]["volumeMounts"]} <= volumes
