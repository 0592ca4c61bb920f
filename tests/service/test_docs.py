"""The curl examples of docs/service.md do what the page says, against a real server."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess

import pytest

from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store
from tests.paths import ROOT
from tests.service.served import served

PAGE = (ROOT / "docs" / "service.md").read_text("utf-8")


@pytest.mark.skipif(shutil.which("curl") is None, reason="no curl here")
def test_curl_examples_work(tmp_path):
    settings = ServiceSettings(folder=tmp_path / "service")
    settings.media.mkdir(parents=True)
    store = Store(settings.db_url)
    store.migrate()
    (tmp_path / "call.wav").write_bytes(b"RIFF of a call")
    examples = [e for e in re.findall(r"```sh\n(.*?)```", PAGE, re.S) if "curl" in e]
    assert len(examples) == 6
    with served(settings, store) as (url, key):
        for example in examples:
            done = subprocess.run(
                ["bash", "-euc", example],
                cwd=tmp_path,
                env=os.environ | {"URL": url, "KEY": key},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, f"{example}\n{done.stdout}\n{done.stderr}"
    store.close()
    done = json.loads((tmp_path / "done.json").read_text())
    assert (done["state"], done["verdict"]["fake_llr"]) == ("done", 2.0)
    assert "<html" in (tmp_path / "report.html").read_text()
    ids = {scan["id"] for scan in json.loads((tmp_path / "list.json").read_text())["scans"]}
    assert done["id"] in ids
