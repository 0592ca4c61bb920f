"""Let schemathesis try the service: made-up requests to a real server, held to its schema.

``python -m eval.api_check COMMAND...`` starts a service without workers and calls
``COMMAND run URL/openapi.json`` with a key; the exit code is schemathesis'.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from eval.service_process import ServiceProcess

_EXAMPLES = "50"  # for each operation and phase


def main(command: list[str]) -> int:
    """Run the given schemathesis on a fresh service."""
    with tempfile.TemporaryDirectory(prefix="avdetect-api-") as folder:
        service = ServiceProcess(
            Path(folder) / "service", options={"--workers": "0", "--max-queue": "100000"}
        )
        service.start(with_worker=False)
        try:
            return subprocess.run(
                [
                    *command,
                    "run",
                    f"{service.address}/openapi.json",
                    "--header",
                    f"Authorization: Bearer {service.key}",
                    "--checks",
                    "all",
                    "--max-examples",
                    _EXAMPLES,
                    "--seed",
                    "1",
                ],
                check=False,
            ).returncode
        finally:
            service.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
