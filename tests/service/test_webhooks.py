"""Webhooks: signed, tried again until heard, given up at a limit; over real sockets."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest
from sqlalchemy import text

from avdetect.client import verify_webhook
from avdetect.client.signature import sign
from avdetect.errors import ServiceError, UsageError
from avdetect.service import audit, jobs, webhooks
from tests.service.conftest import known_verdict

SECRET = "a secret of both sides"


class Listener(HTTPServer):
    """Answers with the statuses given, then with 200; keeps what it heard."""

    def __init__(self, statuses):
        self.statuses, self.heard = list(statuses), []
        listener = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                listener.heard.append((self.headers, body))
                self.send_response(listener.statuses.pop(0) if listener.statuses else 200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def listen():
    servers = []

    def start(*statuses):
        server = Listener(statuses)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return server

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


def judge(store, put, address):
    scan_id = put(webhook=address)
    with store.writing() as session:
        (job,) = jobs.claim(session, 1)
        jobs.finish(session, job, known_verdict())
    return scan_id


def deliver(store, settings):
    with httpx.Client() as client:
        return webhooks.deliver_one(store, replace(settings, webhook_secret=SECRET), client)


def make_due(store):
    with store.writing() as session:
        session.execute(text("UPDATE deliveries SET ready_at = 0"))


def actions(store, scan_id):
    with store.reading() as session:
        return [entry.action for entry in audit.entries(session, scan_id)]


def test_call_is_signed_and_names_the_scan(store, settings, put, listen):
    server = listen()
    scan_id = judge(store, put, f"http://127.0.0.1:{server.server_port}/done")
    assert deliver(store, settings)
    ((headers, body),) = server.heard
    verify_webhook(SECRET, headers, body)
    assert json.loads(body)["data"] == {"id": scan_id, "state": "done", "decision": "fake"}
    assert not deliver(store, settings)
    assert actions(store, scan_id)[-1] == "webhook.heard"


def test_call_that_fails_is_made_again_with_the_same_id(store, settings, put, listen):
    server = listen(500, 302)
    judge(store, put, f"http://127.0.0.1:{server.server_port}/done")
    for _ in range(3):
        assert deliver(store, settings)
        assert not deliver(store, settings)  # the next try has its time
        make_due(store)
    assert not deliver(store, settings)
    assert len({headers["webhook-id"] for headers, _ in server.heard}) == 1
    assert len(server.heard) == 3


def test_call_that_nobody_hears_is_given_up(store, settings, put):
    scan_id = judge(store, put, "http://127.0.0.1:1/closed")
    for _ in range(webhooks.MOST_ATTEMPTS):
        make_due(store)
        assert deliver(store, settings)
    make_due(store)
    assert not deliver(store, settings)
    assert actions(store, scan_id)[-1] == "webhook.unheard"


def test_standard_webhooks_signature_of_its_specification():
    # Vector computed by hand with openssl: HMAC-SHA256 over "id.timestamp.body", in base64.
    headers = sign("secret", "msg_1", b"{}", now=1_700_000_000.5)
    assert headers["webhook-timestamp"] == "1700000000"
    assert headers["webhook-signature"] == "v1,A5oIrJxXPB/PkULSoVu0e4khvPiqpF9vljmhkSKg0FI="


@pytest.mark.parametrize(
    "change",
    [
        lambda headers, body: (headers, body + b" "),
        lambda headers, body: (headers | {"webhook-id": "other"}, body),
        lambda headers, body: (headers | {"webhook-timestamp": "1700000001"}, body),
        lambda headers, body: ({k: v for k, v in headers.items() if "signature" not in k}, body),
        lambda headers, body: (headers | {"webhook-timestamp": "x"}, body),
    ],
)
def test_changed_call_is_refused(change):
    headers, body = change(sign(SECRET, "1", b"{}", now=1_700_000_000), b"{}")
    with pytest.raises(ServiceError):
        verify_webhook(SECRET, headers, body, now=1_700_000_000)


def test_recorded_call_is_refused_later():
    headers = sign(SECRET, "1", b"{}", now=1_700_000_000)
    with pytest.raises(ServiceError, match="old"):
        verify_webhook(SECRET, headers, b"{}", now=1_700_000_301)


@pytest.mark.parametrize("prefix", ["https://host", "ftp://host/", "host/path"])
def test_prefix_that_would_allow_more_than_it_says_is_refused(settings, prefix):
    with pytest.raises(UsageError):
        replace(settings, webhook_prefixes=(prefix,), webhook_secret=SECRET)


def test_webhooks_without_a_secret_are_refused(settings):
    with pytest.raises(UsageError, match="AVDETECT_WEBHOOK_SECRET"):
        replace(settings, webhook_prefixes=("https://host/",))
