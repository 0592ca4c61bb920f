"""The import arrows of ARCHITECTURE.md hold, and heavy libraries stay out of the front door."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
HEAVY = ("torch", "transformers", "mediapipe", "librosa", "av", "cv2", "speechbrain")
LIGHT = ("avdetect", "avdetect.cli", "avdetect.errors", "avdetect.types", "avdetect.verdict")


def test_import_arrows_hold():
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run(
        [lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", LIGHT)
def test_front_door_imports_nothing_heavy(module: str):
    code = f"import sys, {module}; print(*sorted(set({HEAVY}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_help_imports_nothing_heavy():
    code = (
        "import sys; from avdetect.cli.app import run; code = run(['scan', '--help']); "
        f"print(code, *sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.split() == ["0"]
