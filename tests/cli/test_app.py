"""The command as a process: version, help, pipes, progress."""

from __future__ import annotations

import os
import pty
import select
import shlex
import subprocess
import sys
from importlib.metadata import version

import pytest

from avdetect.cli.app import run
from avdetect.cli.progress import progress_bar, wants_bar

COMMAND = [sys.executable, "-m", "avdetect"]


def test_version_is_the_packages(capsys):
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"avdetect {version('avdetect')}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_lists_the_commands(arguments, capsys):
    assert run(arguments) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in ("scan", "models", "doctor"))


def test_scan_help_tells_exit_codes_and_examples(capsys):
    run(["scan", "--help"])
    out = capsys.readouterr().out
    assert "Exit codes" in out
    assert "avdetect scan call.wav" in out
    options = "json report no-media model device prior-fake channel format rate fail-on quiet"
    assert all(f"--{option}" in out for option in options.split())


def test_closed_pipe_is_silent():
    process = subprocess.Popen(
        [*COMMAND, "scan", "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdout.close()
    error = process.stderr.read()
    process.stderr.close()
    assert process.wait() == 141
    assert error == b""


@pytest.mark.parametrize("closing", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", ["--version", "scan --help", "models list"])
def test_closed_standard_streams_are_no_error(closing, arguments):
    command = f"exec {shlex.join(COMMAND)} {arguments} {closing}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert bool(done.stdout) is (">&-" not in closing.replace("2>&-", ""))


def test_a_closed_standard_input_is_an_empty_clip():
    command = f"exec {shlex.join(COMMAND)} scan - <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 3
    assert "NOT JUDGED (unreadable_media)" in done.stdout and "empty" in done.stdout


def test_no_bar_into_a_pipe_or_when_quiet(monkeypatch, capfd):
    assert not wants_bar(quiet=False)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert wants_bar(quiet=False)
    assert not wants_bar(quiet=True)


def test_bar_goes_to_the_terminal_and_is_gone_afterwards(monkeypatch):
    ours, theirs = pty.openpty()
    with os.fdopen(theirs, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with progress_bar("[red]call[/red].wav", "1/3") as report:
            report(30.0, 60.0)
        terminal.flush()
        shown = ""
        while select.select([ours], [], [], 1.0)[0]:  # it comes in pieces
            shown += os.read(ours, 1 << 16).decode()
    os.close(ours)
    assert "[red]call[/red].wav" in shown
    assert "1/3" in shown
    assert "\x1b[2K" in shown  # the line is erased
