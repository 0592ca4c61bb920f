"""Let schemathesis try the service: made-up requests to a real server, held to its schema.

``python -m eval.api_check COMMAND...`` starts a service and calls
``COMMAND run URL/openapi.json`` with a key; the exit code is schemathesis'.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

from eval.service_process import ServiceProcess

_EXAMPLES = "50"  # for each operation and phase
_PATIENCE_S = "90"  # a request may ask to wait for a minute


def main(command: list[str]) -> int:
    """Run the given schemathesis on a fresh service."""
    with tempfile.TemporaryDirectory(prefix="avdetect-api-") as folder:
        service = ServiceProcess(Path(folder) / "service", options={"--max-queue": "100000"})
        service.start()
        try:
            return subprocess.run(
                [
                    *command,
                    "run",
                    f"{service.address}/openapi.json",
                    "--header",
                    f"Authorization: Bearer {service.key}",
                    "--exclude-checks",
                    # No schema can say which cursors, webhooks and bytes of a form are taken.
                    "positive_data_acceptance",
                    "--request-timeout",
                    _PATIENCE_S,
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
