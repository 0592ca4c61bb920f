"""An archive with poison in it, a full disk, and one larger than memory should notice."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from collections import Counter

import pytest

from tests.archive.known import KnownSpec, clips, judged, request, run_locally
from tests.paths import ROOT

N_INPUTS = 300
POISON = {"crash": 4, "bug": 3, "broken": 4, "gone": 4}  # 5 % of the inputs


@pytest.mark.slow
def test_three_hundred_files_with_five_percent_poison_have_exactly_one_row_each(tmp_path):
    kinds = [kind for kind, n in POISON.items() for _ in range(n)]
    kinds += ["real"] * (N_INPUTS - len(kinds))
    names = {f"{n * 7 % N_INPUTS:03}.wav": f"{kind} {n}" for n, kind in enumerate(kinds)}
    folder = clips(tmp_path, {k: v for k, v in names.items() if not v.startswith("gone")})
    manifest, out = folder / "list.txt", tmp_path / "out.jsonl"
    manifest.write_text("\n".join(names))
    arguments = [str(manifest), str(out), str(tmp_path / "diary"), "0"]
    subprocess.run(
        [sys.executable, "-m", "tests.archive.local_run", *arguments], cwd=ROOT, check=True
    )
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["path"] for row in rows] == list(names)
    assert Counter(row["error_code"] for row in rows) == {
        None: N_INPUTS - 15,
        "crashed": 7,
        "unreadable_media": 4,
        "not_found": 4,
    }
    assert all(row["decision"] == "real" for row in rows if row["error_code"] is None)


def test_what_killed_its_workers_is_left_alone_until_it_is_asked_for(tmp_path):
    folder, spec = clips(tmp_path / "in", {"a.wav": "crash"}), KnownSpec(tmp_path / "diary")
    counts = []
    for retry in (False, False, True):
        wanted = request(folder, tmp_path / "out.jsonl", retry_killing=retry)
        assert run_locally(wanted, spec).tally.failures == {"crashed": 1}
        counts.append(len(judged(spec.diary)))
    assert counts == [2, 2, 4]


def test_a_full_disk_costs_nothing_that_was_recorded(tmp_path):
    folder = clips(tmp_path / "in", {f"{n:02}.wav": f"real {n}" for n in range(60)})
    arguments = [str(folder), str(tmp_path / "out.jsonl"), str(tmp_path / "diary"), "0"]
    full = subprocess.run(
        [sys.executable, "-m", "tests.archive.local_run", *arguments],
        cwd=ROOT,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000)),
        capture_output=True,
        text=True,
        check=False,
    )
    assert "OutputError" in full.stderr
    assert "run again once there is room" in full.stderr
    assert sorted(p.name for p in tmp_path.iterdir() if ".part" in p.name) == []
    n_before = len(judged(tmp_path / "diary"))
    assert 0 < n_before < 60
    summary = run_locally(request(folder, tmp_path / "out.jsonl"), KnownSpec(tmp_path / "diary"))
    assert summary.tally.n_rows == 60
    assert n_before + summary.n_judged <= 60 + 5  # five: on their way, and the one that met the end


def test_a_long_listing_is_not_held_in_memory(tmp_path):
    manifest = tmp_path / "list.txt"
    with manifest.open("w") as stream:
        stream.writelines(f"{'a long folder name/' * 5}{n}.wav\n" for n in range(200_000))
    script = (
        "import resource, sys; from pathlib import Path\n"
        "from avdetect.archive.journal import Journal\n"
        "from avdetect.archive.listing import find_archive, list_archive\n"
        "archive = find_archive(sys.argv[1])\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "with Journal(Path(sys.argv[2]), archive, 'model') as journal:\n"
        "    n = journal.take_listing(list_archive(archive, ()), sort=False)\n"
        "    n = sum(1 for entry in journal.unidentified())\n"
        "print(n, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(manifest), str(tmp_path / "journal")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    n, grown_kb = map(int, done.stdout.split())
    assert n == 200_000
    assert grown_kb < 20_000  # the names alone are as much
