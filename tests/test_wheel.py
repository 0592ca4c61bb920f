"""The wheel is the product: in an empty environment it judges with the models it carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import jsonschema
import pytest

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).parent / "uv"

pytestmark = pytest.mark.slow


def call(*command: str | Path, cwd: Path, codes: tuple[int, ...] = (0,)) -> str:
    settings = {k: v for k, v in os.environ.items() if not k.startswith(("AVDETECT_", "PYTHON"))}
    settings.pop("VIRTUAL_ENV", None)
    done = subprocess.run(
        [str(word) for word in command],
        cwd=cwd,
        env=settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in codes, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(UV, "build", "--wheel", "--out-dir", folder, cwd=ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a fresh environment that holds the wheel and its locked dependencies."""
    folder = tmp_path_factory.mktemp("fresh")
    call(UV, "venv", "--python", sys.executable, folder / "venv", cwd=folder)
    locked = folder / "locked.txt"
    call(
        UV, "export", "--frozen", "--no-dev", "--no-emit-project", "--output-file", locked, cwd=ROOT
    )
    python = folder / "venv" / "bin" / "python"
    call(UV, "pip", "install", "--python", python, "--no-deps", "-r", locked, cwd=folder)
    call(UV, "pip", "install", "--python", python, "--no-deps", wheel, cwd=folder)
    return python.parent


def test_wheel_holds_models_schema_templates_and_types(wheel: Path):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "avdetect/_models/default.toml",
        "avdetect/schema/verdict-1.json",
        "avdetect/report/templates/page.html.j2",
        "avdetect/py.typed",
    } <= names
    cards = {Path(name).parent for name in names if name.endswith("card.toml")}
    weights = {Path(name).parent for name in names if name.endswith("weights.safetensors")}
    assert cards == weights
    assert len(cards) >= 5
    assert not any(name.split("/")[0] in {"recipes", "eval", "tests"} for name in names)


def test_installed_wheel_verifies_and_judges_with_its_own_models(installed: Path, tmp_path: Path):
    where = call(
        installed / "python", "-c", "import avdetect; print(avdetect.__file__)", cwd=tmp_path
    )
    assert Path(where.strip()).is_relative_to(installed.parent)
    listed = call(installed / "avdetect", "models", "verify", cwd=tmp_path).splitlines()
    assert len(listed) >= 5
    assert all(line.startswith("ok ") for line in listed)

    sample = ROOT / "samples" / "call_synthetic.wav"
    out = call(
        *(installed / "avdetect", "scan", sample, "--json", "--report", tmp_path / "pages"),
        cwd=tmp_path,
        codes=(0, 3),
    )
    verdict = json.loads(out)
    schema = json.loads((ROOT / "avdetect" / "schema" / "verdict-1.json").read_text("utf-8"))
    jsonschema.validate(verdict, schema)
    assert verdict["error"] is None
    assert verdict["branches"]["voice_clone"]["fake_llr"] is not None
    (page,) = (tmp_path / "pages").iterdir()
    assert verdict["input"]["sha256"] in page.read_text("utf-8")
