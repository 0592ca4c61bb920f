"""Both clients against a real server; refusals become errors, failures are tried again."""

from __future__ import annotations

import asyncio
import inspect
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from avdetect.client import AsyncClient, Client
from avdetect.client import requests as asking
from avdetect.errors import InputNotFoundError, ServiceError, UsageError
from avdetect.service.settings import ServiceSettings
from avdetect.service.store import Store
from tests.service.served import served

CLIP = b"RIFF of a clip"


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    folder = tmp_path_factory.mktemp("service")
    settings = ServiceSettings(folder=folder)
    settings.media.mkdir()
    store = Store(settings.db_url)
    store.migrate()
    with served(settings, store) as found:
        yield found
    store.close()


class Awaited:
    """An `AsyncClient` with the methods of a `Client`, so that both meet the same tests."""

    def __init__(self, address: str, key: str) -> None:
        self._address, self._key = address, key

    def __getattr__(self, name: str):
        def call(*arguments, **options):
            async def run():
                async with AsyncClient(self._address, self._key) as client:
                    return await getattr(client, name)(*arguments, **options)

            return asyncio.run(run())

        return call


@pytest.fixture(params=[Client, Awaited], ids=["blocking", "asynchronous"])
def client(request, service):
    made = request.param(*service)
    yield made
    if isinstance(made, Client):
        made.close()


def test_scan_gives_the_verdict(client, tmp_path):
    path = tmp_path / "call.wav"
    path.write_bytes(CLIP)
    for media in (path, str(path), CLIP, path.open("rb")):
        assert client.scan(media, timeout_s=30, prior_fake=0.1).fake_llr == 2.0
    media.close()


def test_scan_is_followed_step_by_step(client):
    scan = client.submit(CLIP, idempotency_key=f"{type(client)}")
    assert client.submit(CLIP, idempotency_key=f"{type(client)}").id == scan.id
    assert client.wait(scan.id, timeout_s=30).decision == "fake"
    assert "FAKE" in client.report(scan.id).upper()
    assert scan.id in {each.id for each in client.list(decision="fake", limit=200).scans}
    client.delete(scan.id)
    with pytest.raises(ServiceError) as told:
        client.get(scan.id)
    assert told.value.code == "not_found"


def test_model_in_use_is_told_with_hashes(client):
    assert all(len(model.sha256) == 64 for model in client.model().models)


def test_what_makes_no_sense_is_a_usage_error(client):
    with pytest.raises(UsageError):
        client.submit(CLIP, prior_fake=2.0)


def test_missing_file_is_told_before_anything_is_sent(client, tmp_path):
    with pytest.raises(InputNotFoundError, match=r"none\.wav"):
        client.scan(tmp_path / "none.wav")


def test_wrong_key_is_told(service):
    with Client(service[0], "avd_x") as client, pytest.raises(ServiceError) as told:
        client.list()
    assert told.value.code == "key"


def test_service_that_is_not_there_is_told(monkeypatch):
    monkeypatch.setattr(asking, "MOST_TRIES", 2)
    with Client("http://127.0.0.1:1", "k") as client, pytest.raises(ServiceError, match="reached"):
        client.list()


@pytest.mark.parametrize("status", [429, 503, 507])
def test_busy_service_is_asked_again(status):
    answers = [status, 200]

    class Busy(BaseHTTPRequestHandler):
        def do_GET(self):
            body = b'{"scans": []}'
            self.send_response(answers.pop(0))
            self.send_header("Retry-After", "0")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = HTTPServer(("127.0.0.1", 0), Busy)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    with Client(f"http://127.0.0.1:{server.server_port}", "k") as client:
        assert client.list().scans == ()
    server.shutdown()
    thread.join()
    server.server_close()
    assert answers == []


def test_both_clients_have_the_same_methods():
    def methods(kind):
        found = inspect.getmembers(kind, inspect.isfunction)
        return {
            name: list(inspect.signature(method).parameters)
            for name, method in found
            if not name.startswith("_")
        }

    assert methods(Client) == methods(AsyncClient)
