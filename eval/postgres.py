"""A PostgreSQL server of our own, for tests and for the fault campaign: made, killed, restarted.

PostgreSQL refuses to run as root: there it runs as the user ``postgres``, as Debian's packages make
it. `find_postgres` says in words why there is none.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

_START_S = 60.0


def find_postgres() -> Path | None:
    """Folder of ``initdb`` and ``postgres``: on the path or where Debian puts it; else None."""
    on_path = shutil.which("initdb")
    if on_path is not None:
        return Path(on_path).resolve().parent
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return found[-1].parent if found else None


def why_not() -> str | None:
    """Why no server can be run here; None if one can."""
    if find_postgres() is None:
        return "no PostgreSQL here: apt-get install postgresql"
    if os.geteuid() == 0 and _other_user() is None:
        return "PostgreSQL does not run as root, and there is no user postgres here"
    return None


def _other_user() -> str | None:
    try:
        return pwd.getpwnam("postgres").pw_name
    except KeyError:
        return None


class PostgresServer:
    """One server in a folder of its own, on a port of 127.0.0.1 that was free."""

    def __init__(self, folder: Path) -> None:
        """Make an empty cluster in ``folder``, which must not exist yet."""
        binaries = find_postgres()
        assert binaries is not None
        self._binaries, self._folder = binaries, folder
        self._user = _other_user() if os.geteuid() == 0 else None
        folder.mkdir(parents=True)
        if self._user is not None:
            shutil.chown(folder, self._user)
            for parent in folder.parents:  # pytest's folders are closed to others
                if parent.stat().st_uid == 0 and parent != Path("/") and "pytest" in str(parent):
                    parent.chmod(0o755)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        self._call("initdb", "--auth=trust", "--username=avdetect", "--encoding=UTF8", "--no-sync")
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """For the service."""
        return f"postgresql://avdetect@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = ["-p", str(self.port), "-k", "", "-c", "listen_addresses=127.0.0.1"]
        self._process = subprocess.Popen(
            [self._binaries / "postgres", "-D", self._folder, *options],
            user=self._user,
            cwd="/",
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
        ends_at = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > ends_at:
                raise RuntimeError("PostgreSQL did not start")
            time.sleep(0.1)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT breaks off connections and closes cleanly, SIGQUIT crashes it."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _answers(self) -> bool:
        ready = [str(self._binaries / "pg_isready"), "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready, stdout=subprocess.DEVNULL, check=False).returncode == 0

    def _call(self, program: str, *options: str) -> None:
        subprocess.run(
            [self._binaries / program, "-D", self._folder, *options],
            user=self._user,
            cwd="/",
            check=True,
            stdout=subprocess.DEVNULL,
            env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        )
