import json

import pytest

from avdetect.errors import InputError
from avdetect.streaming.protocols.events import Ended, Sound, Started
from avdetect.streaming.protocols.twilio import TwilioCall
from tests.streaming.protocols.messages import CALL_SID, TwilioSender


@pytest.fixture
def sender():
    return TwilioSender()


@pytest.fixture
def call(sender):
    call = TwilioCall()
    assert call.receive(sender.connected()) == []
    call.receive(sender.start())
    return call


def test_a_call_is_a_start_the_sound_of_its_legs_and_an_end(sender):
    call = TwilioCall(prior_fake=0.01, stop_at=0.99)
    legs = {"inbound": b"\x01" * 320, "outbound": b"\x02" * 320}
    events = [event for message in sender.call(legs) for event in call.receive(message)]
    started, *sounds, ended = events
    assert isinstance(started, Started)
    assert started.call_id == CALL_SID
    assert started.options.tracks == ("inbound", "outbound")
    assert (started.options.encoding, started.options.rate_hz) == ("ulaw", 8000)
    assert (started.options.prior_fake, started.options.stop_at) == (0.01, 0.99)
    assert started.key is None
    assert sounds == [
        Sound(b"\x01" * 160, "inbound", 0.0),
        Sound(b"\x02" * 160, "outbound", 0.0),
        Sound(b"\x01" * 160, "inbound", 0.02),
        Sound(b"\x02" * 160, "outbound", 0.02),
    ]
    assert isinstance(ended, Ended)


def test_the_key_comes_as_a_parameter(sender):
    start = sender.start(customParameters={"api_key": "secret", "other": "x"})
    (started,) = TwilioCall().receive(start)
    assert started.key == "secret"


def test_dialled_digits_and_marks_are_passed_over(sender, call):
    assert call.receive(sender.dtmf()) == []
    assert call.receive(sender.mark()) == []


def test_what_came_twice_is_heard_once_and_what_is_missing_is_counted(sender, call):
    first, lost, third = (sender.media("inbound", b"\x01", 20 * k) for k in range(3))
    assert len(call.receive(first)) == 1
    assert call.receive(first) == []
    assert len(call.receive(third)) == 1
    assert call.receive(lost) == []
    assert call.n_lost == 1


def test_events_of_tomorrow_are_passed_over(call):
    assert call.receive(json.dumps({"event": "weather", "sequenceNumber": "9"})) == []


def test_after_the_stop_nothing_is_heard(sender, call):
    call.receive(sender.stop())
    assert call.receive(sender.media("inbound", b"\x01", 0)) == []


def changed(message: str, **changes) -> str:
    return json.dumps(json.loads(message) | changes)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda s: b"\x00\x01", "binary"),
        (lambda s: "{", "no JSON"),
        (lambda s: "[1]", "no JSON object"),
        (lambda s: "[" * 30_000, "no JSON"),
        (lambda s: json.dumps({"event": "x" * 70_000}), "characters"),
        (lambda s: json.dumps({"event": 7}), "event"),
        (lambda s: json.dumps({"event": "media"}), "sequenceNumber"),
        (lambda s: changed(s.start(), sequenceNumber="-1"), "sequenceNumber"),
        (lambda s: changed(s.start(), sequenceNumber="1e3"), "sequenceNumber"),
        (lambda s: s.start(), "second start"),
        (lambda s: changed(s.media("inbound", b"", 0), streamSid="MZ1"), "another stream"),
        (lambda s: changed(s.media("inbound", b"", 0), media=[]), "media"),
        (lambda s: s.media("sidebound", b"", 0), "sidebound"),
        (lambda s: s.media("inbound", b"", -5), "timestamp"),
        (
            lambda s: changed(
                s.media("inbound", b"", 0),
                media={"track": "inbound", "chunk": 1, "timestamp": 0, "payload": "a"},
            ),
            "base64",
        ),
    ],
)
def test_messages_that_break_the_protocol_are_refused(sender, call, broken, words):
    with pytest.raises(InputError, match=words):
        call.receive(broken(sender))


def test_sound_before_the_start_is_refused(sender):
    with pytest.raises(InputError, match="before start"):
        TwilioCall().receive(sender.media("inbound", b"", 0))


@pytest.mark.parametrize(
    "changes",
    [
        {"mediaFormat": {"encoding": "audio/opus", "sampleRate": 48000, "channels": 1}},
        {"tracks": []},
        {"tracks": ["sidebound"]},
        {"tracks": [["inbound"]]},
        {"callSid": ""},
        {"callSid": "CA\n1"},
    ],
)
def test_a_start_that_cannot_be_served_is_refused(sender, changes):
    with pytest.raises(InputError, match="Twilio"):
        TwilioCall().receive(sender.start(**changes))
