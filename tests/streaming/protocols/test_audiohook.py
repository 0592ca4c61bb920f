import json

import pytest

from avdetect.errors import InputError
from avdetect.streaming.protocols.audiohook import AudioHookCall
from avdetect.streaming.protocols.events import Ended, Reply, Sound, Started
from tests.streaming.protocols.messages import CONVERSATION, NO_UUID, SESSION, AudioHookSender

FRAME = bytes(range(200)) * 8  # 0.1 s of two channels


@pytest.fixture
def sender():
    return AudioHookSender()


@pytest.fixture
def call(sender):
    call = AudioHookCall()
    call.receive(sender.open())
    sender.serverseq = 1
    return call


def test_open_is_answered_with_the_stereo_form(sender):
    call = AudioHookCall(prior_fake=0.02)
    started, reply = call.receive(sender.open())
    assert isinstance(started, Started)
    assert started.call_id == CONVERSATION
    assert started.options.tracks == ("external", "internal")
    assert started.options.prior_fake == 0.02
    opened = json.loads(reply.text)
    assert opened == {
        "version": "2",
        "type": "opened",
        "seq": 1,
        "clientseq": 1,
        "id": SESSION,
        "parameters": {
            "media": [
                {
                    "type": "audio",
                    "format": "PCMU",
                    "channels": ["external", "internal"],
                    "rate": 8000,
                }
            ],
            "startPaused": False,
        },
    }


def test_one_channel_is_taken_where_no_more_is_offered(sender):
    media = [{"type": "audio", "format": "PCMU", "channels": ["external"], "rate": 8000}]
    started, _ = AudioHookCall().receive(sender.open(media=media))
    assert started.options.tracks == ("external",)


def test_a_probe_is_answered_and_starts_no_call(sender):
    call = AudioHookCall()
    (reply,) = call.receive(sender.open(NO_UUID))
    assert json.loads(reply.text)["type"] == "opened"
    assert call.receive(sender.close()) == [Ended()]
    assert json.loads(call.ended()[0])["type"] == "closed"


def test_frames_are_sound_of_both_channels_at_their_position(call):
    assert call.receive(FRAME) == [Sound(FRAME, None, 0.0)]
    assert call.receive(FRAME) == [Sound(FRAME, None, pytest.approx(0.1))]


def test_ping_is_answered_with_pong(sender, call):
    (reply,) = call.receive(sender.message("ping", {"rtt": "PT0.02S"}))
    assert isinstance(reply, Reply)
    pong = json.loads(reply.text)
    assert (pong["type"], pong["seq"], pong["clientseq"]) == ("pong", 2, 2)


def test_discarded_sound_moves_the_position(sender, call):
    call.receive(FRAME)
    assert (
        call.receive(sender.message("discarded", {"start": "PT0.1S", "discarded": "PT1.5S"})) == []
    )
    assert call.receive(FRAME) == [Sound(FRAME, None, pytest.approx(1.6))]


def test_a_pause_hears_nothing_until_it_is_resumed(sender, call):
    call.receive(FRAME)
    assert call.receive(sender.message("paused")) == []
    assert call.receive(FRAME) == []
    call.receive(sender.message("resumed", {"start": "PT0.1S", "discarded": "PT2S"}))
    assert call.receive(FRAME) == [Sound(FRAME, None, pytest.approx(2.1))]


def test_error_and_update_ask_for_nothing(sender, call):
    assert call.receive(sender.message("error", {"code": 429, "message": "slow down"})) == []
    assert call.receive(sender.message("update", {"language": "de-DE"})) == []


def test_close_is_answered_with_closed_after_the_last_word(sender, call):
    assert call.receive(sender.close()) == [Ended()]
    (text,) = call.ended()
    assert json.loads(text)["type"] == "closed"
    assert call.refused("too late") == []


def test_a_refusal_is_a_disconnect_with_the_reason(call):
    (text,) = call.refused("no room")
    message = json.loads(text)
    assert message["type"] == "disconnect"
    assert message["parameters"] == {"reason": "error", "info": "no room"}


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda s: "null", "no JSON object"),
        (lambda s: s.message("ping", version="1"), "version"),
        (lambda s: s.message("ping", seq=7), "seq must be 2"),
        (lambda s: s.message("ping", seq=True), "seq"),
        (lambda s: s.message("ping", serverseq=9), "serverseq"),
        (lambda s: s.message("ping", id=CONVERSATION), "id"),
        (lambda s: s.message("ping", id="me"), "id"),
        (lambda s: s.message("ping", position="1.5"), "position"),
        (lambda s: s.message("ping", position="PT٣S"), "position"),
        (lambda s: s.message("ping", "none"), "parameters"),
        (lambda s: s.message("discarded", {"discarded": "PT-1S"}), "discarded"),
        (lambda s: s.open(), "second open"),
        (lambda s: FRAME[:-1], "whole samples"),
        (lambda s: bytes(70_000), "bytes"),
    ],
)
def test_messages_that_break_the_protocol_are_refused(sender, call, broken, words):
    with pytest.raises(InputError, match=words):
        call.receive(broken(sender))


def test_sound_and_messages_before_open_are_refused(sender):
    with pytest.raises(InputError, match="outside"):
        AudioHookCall().receive(FRAME)
    with pytest.raises(InputError, match="before open"):
        AudioHookCall().receive(sender.message("ping"))


def test_nothing_follows_a_close(sender, call):
    call.receive(sender.close())
    with pytest.raises(InputError, match="outside"):
        call.receive(FRAME)
    with pytest.raises(InputError, match="after close"):
        call.receive(sender.message("ping"))


@pytest.mark.parametrize("media", [[], "PCMU", [{"format": "L16"}], [None]])
def test_a_form_that_cannot_be_heard_is_refused(sender, media):
    with pytest.raises(InputError, match="media"):
        AudioHookCall().receive(sender.open(media=media))
