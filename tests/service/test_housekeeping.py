"""What is deleted when: clips once judged, scans past their time, unknown files, nothing else."""

from __future__ import annotations

import os
import time
from dataclasses import replace

import pytest

from avdetect.service import audit, housekeeping, jobs
from avdetect.service.tables import ScanRow
from tests.service.conftest import known_verdict

DAY_S, HOUR_S = 86_400.0, 3600.0


@pytest.fixture
def scan_id(store, settings, put):
    made = put()
    settings.media_path(made).write_bytes(b"clip")
    return made


def judge(store):
    with store.writing() as session:
        (job,) = jobs.claim(session, 1)
        assert jobs.finish(session, job, known_verdict())


def has_clip(settings, scan_id):
    return settings.media_path(scan_id).exists()


def test_clip_stays_until_it_is_judged(store, settings, scan_id):
    housekeeping.tidy(store, settings, now=time.time() + 10 * DAY_S)
    assert has_clip(settings, scan_id)


def test_clip_goes_once_judged_unless_it_is_kept(store, settings, scan_id):
    judge(store)
    keeping = replace(settings, keep_media_h=2.0)
    housekeeping.tidy(store, keeping)
    assert has_clip(settings, scan_id)
    housekeeping.tidy(store, keeping, now=time.time() + 2 * HOUR_S + 1)
    assert not has_clip(settings, scan_id)
    with store.reading() as session:
        assert session.get(ScanRow, scan_id).verdict is not None


def test_scan_goes_after_its_days_and_that_is_on_record(store, settings, scan_id):
    judge(store)
    housekeeping.tidy(store, settings, now=time.time() + 30 * DAY_S + 1)
    with store.reading() as session:
        assert session.get(ScanRow, scan_id) is None
        assert [entry.action for entry in audit.entries(session, scan_id)][-1] == "scan.expire"
        assert audit.verify(session).fault is None


@pytest.mark.parametrize(
    ("name", "age_s", "stays"),
    [
        ("f" * 32, 2 * HOUR_S, False),
        ("f" * 32, 60.0, True),  # its row may be on the way
        ("f" * 32 + ".part", 2 * HOUR_S, False),
        ("f" * 32 + ".part", 60.0, True),
        ("notes.txt", 2 * HOUR_S, True),  # not ours
    ],
)
def test_file_without_a_scan_goes_when_it_is_old(store, settings, name, age_s, stays):
    path = settings.media / name
    path.write_bytes(b"x")
    then = time.time() - age_s
    os.utime(path, (then, then))
    housekeeping.tidy(store, settings)
    assert path.exists() is stays


def test_clip_of_a_waiting_scan_is_no_stranger(store, settings, scan_id):
    then = time.time() - 2 * HOUR_S
    os.utime(settings.media_path(scan_id), (then, then))
    housekeeping.tidy(store, settings)
    assert has_clip(settings, scan_id)
