"""Live calls over real sockets: a uvicorn server, a WebSocket client, three protocols."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest
import uvicorn
from fastapi import FastAPI
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from avdetect.detector import Detector
from avdetect.service.live import live_routes
from avdetect.service.live_calls import LiveCalls
from tests.streaming.calls import RATE_HZ, call_legs, packets
from tests.streaming.protocols.messages import (
    CALL_SID,
    CONVERSATION,
    AudioHookSender,
    TwilioSender,
)
from tests.streaming.protocols.test_fuzz import audiohook_call, mutated, plain_call, twilio_call

KEY = {"Authorization": "Bearer good"}
MAX_CALLS = 3


@pytest.fixture(scope="module")
def detector():
    return Detector.load(device="cpu")


@pytest.fixture(scope="module")
def legs():
    return call_legs()


@pytest.fixture(scope="module")
def verdicts():
    return []


@pytest.fixture(scope="module")
def calls(detector, verdicts):
    async def note(owner, call_id, verdict):
        verdicts.append((owner, call_id, verdict.track))

    calls = LiveCalls(detector, max_calls=MAX_CALLS, on_verdict=note)
    yield calls
    calls.close()


@pytest.fixture(scope="module")
def address(calls):
    async def admit(key: str | None) -> str | None:
        return {"good": "desk", "other": "other desk"}.get(key or "")

    app = FastAPI()
    app.include_router(live_routes(calls, admit))
    with serving(app) as port:
        yield f"127.0.0.1:{port}"


@contextmanager
def serving(app: FastAPI) -> Iterator[int]:
    listening = socket.create_server(("127.0.0.1", 0))
    settings = uvicorn.Config(app, log_level="error", lifespan="off", ws_ping_interval=None)
    server = uvicorn.Server(settings)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield listening.getsockname()[1]
    server.should_exit = True
    thread.join()
    listening.close()


def dial(address: str, path: str, headers: dict[str, str] | None = None) -> ClientConnection:
    headers = KEY if headers is None else headers
    url = f"ws://{address}/v1/live/{path}"
    # no pings: a machine under load may answer later than their timeout
    return connect(url, additional_headers=headers, proxy=None, ping_interval=None)


def ask(address: str, path: str, headers: dict[str, str] = KEY) -> httpx.Response:
    with httpx.Client(trust_env=False, timeout=300) as client:
        return client.get(f"http://{address}/v1/live/{path}", headers=headers)


def wait_for_end(address: str, call_id: str) -> dict:
    for _ in range(600):
        found = ask(address, call_id).json()
        if found.get("state") in ("ended", "broken"):
            return found
        time.sleep(0.05)
    raise AssertionError(f"{call_id} did not end: {found}")


def scan(detector, sound, name):
    verdict = detector.scan(sound, format="ulaw", rate=RATE_HZ, name=name, cues="none")
    return json.loads(verdict.to_json())


def test_our_own_protocol_gives_judgements_and_the_verdict_of_a_scan(address, detector, legs):
    with dial(address, "pcm") as line:
        line.send('{"call_id": "plain-1"}')
        for packet in packets(legs[0], 4_000):
            line.send(packet)
        line.send('{"end": true}')
        updates = [json.loads(message) for message in line]
    assert {update["type"] for update in updates[:-1]} == {"judgement"}
    assert updates[-1]["verdict"] == scan(detector, legs[0], "plain-1")
    assert wait_for_end(address, "plain-1")["tracks"]["mono"] == updates[-1]


def test_twilio_call_is_judged_leg_by_leg_and_asked_for_by_its_sid(
    address, detector, legs, verdicts
):
    sent = dict(zip(("inbound", "outbound"), legs, strict=True))
    with dial(address, "twilio", {}) as line:
        for message in TwilioSender().call(sent, customParameters={"api_key": "good"}):
            line.send(message)
        assert list(line) == []
    found = wait_for_end(address, CALL_SID)
    assert found["state"] == "ended"
    for track, sound in sent.items():
        expected = scan(detector, sound, f"{CALL_SID} ({track})")
        assert found["tracks"][track]["verdict"] == expected
        assert ("desk", CALL_SID, track) in verdicts


def test_audiohook_session_runs_from_open_to_closed(address, detector, legs):
    sender = AudioHookSender()
    woven = bytes(byte for pair in zip(*legs, strict=True) for byte in pair)
    with dial(address, "audiohook") as line:
        line.send(sender.open())
        assert json.loads(line.recv())["type"] == "opened"
        for index, packet in enumerate(packets(woven, 3_200)):
            line.send(packet)
            if index == 20:
                sender.serverseq = 1
                line.send(sender.message("ping"))
                assert json.loads(line.recv())["type"] == "pong"
        line.send(sender.close())
        assert json.loads(line.recv())["type"] == "closed"
        assert list(line) == []
    tracks = wait_for_end(address, CONVERSATION)["tracks"]
    for track, sound in zip(("external", "internal"), legs, strict=True):
        expected = scan(detector, sound, f"{CONVERSATION} ({track})")
        assert tracks[track]["verdict"] == expected


def test_a_call_can_be_followed_while_it_lasts(address, legs):
    with dial(address, "pcm") as line:
        line.send('{"call_id": "followed"}')
        line.send(legs[0][: 4 * RATE_HZ])
        line.recv(timeout=300)
        lines: list[str] = []
        follower = threading.Thread(
            target=lambda: lines.extend(ask(address, "followed/updates").text.splitlines())
        )
        follower.start()
        for packet in packets(legs[0][4 * RATE_HZ :], 4_000):
            line.send(packet)
        line.send('{"end": true}')
        list(line)
        follower.join()
    kinds = [json.loads(text)["type"] for text in lines]
    assert kinds[0] == "judgement"
    assert kinds[-1] == "verdict"


def test_a_sender_that_leaves_is_judged_by_what_came(address, legs):
    with dial(address, "pcm") as line:
        line.send('{"call_id": "cut off"}')
        line.send(legs[0][: 6 * RATE_HZ])
        line.recv(timeout=300)
        line.socket.shutdown(socket.SHUT_RDWR)
    found = wait_for_end(address, "cut off")
    assert found["state"] == "broken"
    assert found["tracks"]["mono"]["verdict"]["fake_llr"] is not None


def test_a_broken_protocol_is_told_and_ends_the_call(address):
    with dial(address, "pcm") as line:
        line.send("{}")
        line.send("good morning")
        told: list[dict] = []
        with suppress(ConnectionClosed):
            while True:
                told.append(json.loads(line.recv(timeout=300)))
        assert told[0]["verdict"]["decision"] == "inconclusive"  # nothing was heard
        assert "no JSON" in "".join(
            [*(t.get("message", "") for t in told), line.protocol.close_reason]
        )
        assert line.protocol.close_code == 1007


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer bad"}, {"X-API-Key": "bad"}])
@pytest.mark.parametrize("path", ["pcm", "audiohook"])
def test_without_a_valid_key_nobody_is_let_in(address, path, headers):
    with pytest.raises(InvalidStatus) as refusal, dial(address, path, headers):
        pass
    assert refusal.value.response.status_code == 401


def test_a_twilio_stream_without_a_key_is_closed_at_its_start(address):
    with dial(address, "twilio", {}) as line:
        line.send(TwilioSender().start())
        with pytest.raises(ConnectionClosed):
            line.recv(timeout=300)
        assert line.protocol.close_code == 1008


def test_calls_of_others_are_not_shown(address):
    assert ask(address, "plain-1", {"X-API-Key": "other"}).status_code == 404
    assert ask(address, "plain-1", {}).status_code == 401


def test_beyond_the_limit_calls_are_turned_away_and_let_in_again(address, calls):
    with ExitStack() as held:
        lines = [held.enter_context(dial(address, "pcm")) for _ in range(MAX_CALLS)]
        for line in lines:
            line.send("{}")
        while not calls.is_full:
            time.sleep(0.01)
        with pytest.raises(InvalidStatus) as refusal, dial(address, "pcm"):
            pass
        assert refusal.value.response.status_code == 503
        assert refusal.value.response.headers["Retry-After"]
        for line in lines:
            line.send('{"end": true}')
            list(line)
    while calls.n_live:
        time.sleep(0.01)
    with dial(address, "pcm"):
        pass


def test_a_sender_faster_than_judging_has_to_wait(address, legs):
    stretch = legs[0][: 2 * RATE_HZ]  # more than twenty seconds in line would be an error
    with dial(address, "pcm") as line:
        line.send('{"call_id": "flood"}')
        for _ in range(30):
            line.send(stretch)
        line.send('{"end": true}')
        last = json.loads(list(line)[-1])
    assert last["verdict"]["input"]["duration_s"] == pytest.approx(60, abs=0.1)


@pytest.mark.parametrize(
    ("path", "script"),
    [("twilio", twilio_call), ("audiohook", audiohook_call), ("pcm", plain_call)],
)
def test_no_sender_brings_the_server_down(address, calls, path, script):
    rng = random.Random(11)
    for _ in range(25):
        messages = script(rng)
        for _ in range(3):
            at = rng.randrange(len(messages))
            messages[at] = mutated(messages[at], rng)
        while calls.is_full:  # those that broke off are still being closed
            time.sleep(0.01)
        with dial(address, path) as line, suppress(ConnectionClosed):
            for message in messages:
                line.send(message)
    for _ in range(600):
        if not calls.n_live:
            break
        time.sleep(0.05)
    assert calls.n_live == 0
    assert ask(address, "nobody").status_code == 404
