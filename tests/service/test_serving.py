"""The running service as processes: started, asked, killed, told to stop."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from avdetect.client import Client
from avdetect.client.wire import ScanState
from avdetect.detector import Detector
from eval.service_process import ServiceProcess
from tests.paths import SAMPLES

pytestmark = pytest.mark.slow
CALL, PHOTO = SAMPLES / "call_synthetic.wav", SAMPLES / "portrait_real.jpg"


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory):
    process = ServiceProcess(tmp_path_factory.mktemp("service") / "folder")
    process.start()
    yield process
    process.stop()


@pytest.fixture
def client(service):
    with Client(service.address, service.key) as made:
        yield made


def media_left(service) -> list[Path]:
    return sorted(service.folder.joinpath("media").iterdir())


def without_names(verdict):
    return verdict.model_copy(update={"input": verdict.input.model_copy(update={"path": "-"})})


def test_service_says_what_the_detector_says(service, client):
    detector = Detector.load(device="cpu")
    for path in (CALL, PHOTO):
        served = client.scan(path, prior_fake=0.1)
        assert without_names(served) == without_names(detector.scan(path, prior_fake=0.1))


def test_clip_is_deleted_once_it_is_judged(service, client):
    client.scan(PHOTO)
    for _ in range(100):
        if not media_left(service):
            break
        time.sleep(0.1)
    assert media_left(service) == []


def test_file_that_is_no_clip_gets_a_verdict_with_its_error(client):
    verdict = client.scan(b"this is no clip")
    assert (verdict.decision, verdict.error.code) == ("inconclusive", "unreadable_media")


def test_scan_outlives_its_worker(service, client):
    scan_id = client.submit(CALL).id
    while client.get(scan_id).state is ScanState.QUEUED:
        time.sleep(0.05)
    service.kill_worker()
    assert client.wait(scan_id, timeout_s=300).fake_llr is not None
    assert client.get(scan_id).attempts >= 1


def test_scan_outlives_the_server(service, client):
    scan_id = client.submit(CALL).id
    service.kill()
    service.start()
    with Client(service.address, service.key) as again:
        assert again.wait(scan_id, timeout_s=300).fake_llr is not None


def test_told_to_stop_it_stops_with_its_workers(service, client):
    workers = service.workers()
    assert workers
    assert service.stop(signal.SIGTERM) == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)
    service.start()
