"""`keys`, `audit`, `serve`, `worker`: what they print, refuse, and leave unimported."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest
from sqlalchemy import create_engine, text

from avdetect.cli.app import run


@pytest.fixture
def where(tmp_path):
    return ["--dir", str(tmp_path / "service")]


def lines_of(capsys):
    return capsys.readouterr().out.splitlines()


def test_key_is_made_listed_rotated_and_revoked(where, capsys):
    assert run(["keys", "create", "--owner", "desk", "--scope", "read", *where]) == 0
    (key,) = lines_of(capsys)
    key_id = key.split("_")[1]
    assert run(["keys", "rotate", key_id, *where]) == 0
    (new,) = lines_of(capsys)
    assert run(["keys", "revoke", new.split("_")[1], *where]) == 0
    lines_of(capsys)
    assert run(["keys", "list", *where]) == 0
    old_line, new_line = lines_of(capsys)
    assert old_line.startswith(key_id)
    assert "until" in old_line
    assert new_line.endswith("revoked")
    assert key.split("_", 2)[2] not in old_line


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["keys", "revoke", "nobody"], "no key"),
        (["keys", "create", "--owner", "a b"], "owner"),
        (["keys", "create", "--owner", "x", "--db", "mysql://h/n"], "sqlite:///"),
        (["serve", "--tls-cert", "x.pem"], "go together"),
        (["serve", "--webhook", "https://host/"], "AVDETECT_WEBHOOK_SECRET"),
        (["serve", "--max-queue", "0"], "above 0"),
    ],
)
def test_what_makes_no_sense_is_one_line(where, capsys, arguments, words):
    assert run([*arguments, *where]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_port_in_use_is_one_line(where, capsys):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert run(["serve", "--port", port, "--workers", "0", *where]) == 2
    assert "cannot listen" in capsys.readouterr().err


def test_audit_log_is_verified_and_a_change_is_told(where, tmp_path, capsys):
    run(["keys", "create", "--owner", "desk", *where])
    run(["keys", "create", "--owner", "desk", *where])
    lines_of(capsys)
    assert run(["audit", "verify", *where]) == 0
    assert lines_of(capsys)[0].startswith("2 entries hold; head ")
    assert run(["audit", "show", *where]) == 0
    assert all('"key.create"' in line for line in lines_of(capsys))
    engine = create_engine(f"sqlite:///{tmp_path}/service/avdetect.db")
    with engine.begin() as connection:
        connection.execute(text("UPDATE audit_log SET actor = 'x' WHERE seq = 1"))
    engine.dispose()
    assert run(["audit", "verify", *where]) == 3
    assert "FAULT" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["serve", "worker", "keys", "audit"])
def test_help_needs_no_extra(command):
    code = (
        "import sys; from avdetect.cli.app import run; code = run([sys.argv[1], '--help']); "
        "print(code, *{'fastapi', 'sqlalchemy', 'torch'} & set(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, command], capture_output=True, text=True, check=True
    )
    assert done.stderr.split() == ["0"]


def test_missing_extra_is_one_line_that_names_it(where):
    code = (
        "import sys; sys.modules['sqlalchemy'] = None; from avdetect.cli.app import run; "
        "sys.exit(run(sys.argv[1:]))"
    )
    for command in (["keys", "list"], ["serve"], ["worker"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *command, *where],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert 'pip install "avdetect[service]"' in done.stderr
        assert done.stderr.count("\n") == 1
