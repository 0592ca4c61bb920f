import json

import pytest

from avdetect.errors import InputError
from avdetect.streaming.protocols.events import Ended, Sound, Started
from avdetect.streaming.protocols.plain import PlainCall


@pytest.fixture
def call():
    call = PlainCall()
    call.receive("{}")
    return call


def test_an_empty_object_starts_a_telephone_call():
    (started,) = PlainCall().receive("{}")
    assert isinstance(started, Started)
    assert len(started.call_id) == 32
    assert (started.options.encoding, started.options.rate_hz) == ("ulaw", 8000)
    assert started.options.tracks == ("mono",)


def test_everything_can_be_told():
    told = {
        "call_id": "desk-7",
        "encoding": "s16le",
        "rate": 16000,
        "tracks": ["left", "right"],
        "prior_fake": 0.01,
        "stop_at": 0.99,
    }
    (started,) = PlainCall().receive(json.dumps(told))
    options = started.options
    assert (started.call_id, options.name) == ("desk-7", "desk-7")
    assert (options.encoding, options.rate_hz) == ("s16le", 16000)
    assert options.tracks == ("left", "right")
    assert (options.prior_fake, options.stop_at) == (0.01, 0.99)


def test_sound_follows_on_unless_its_time_is_told(call):
    assert call.receive(b"\x01") == [Sound(b"\x01")]
    assert call.receive('{"at_s": 12.5}') == []
    assert call.receive(b"\x02") == [Sound(b"\x02", None, 12.5)]
    assert call.receive(b"\x03") == [Sound(b"\x03")]


def test_the_end_is_told(call):
    assert call.receive('{"end": true}') == [Ended()]
    assert call.receive(b"\x01") == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('{"color": "red"}', "color"),
        ('{"encoding": "mp3"}', "mp3"),
        ('{"encoding": 1}', "encoding"),
        ('{"rate": 44100}', "44100"),
        ('{"rate": true}', "rate"),
        ('{"tracks": "mono"}', "tracks"),
        ('{"tracks": [1]}', "tracks"),
        ('{"tracks": []}', "tracks"),
        ('{"prior_fake": 2}', "prior_fake"),
        ('{"prior_fake": NaN}', "prior_fake"),
        ('{"call_id": ""}', "call_id"),
        ('{"stop_at": 0.2}', "stop_at"),
    ],
)
def test_a_start_that_makes_no_sense_is_refused(message, words):
    with pytest.raises(InputError, match=words):
        PlainCall().receive(message)


@pytest.mark.parametrize(
    "message", ['{"at_s": -1}', '{"at_s": Infinity}', '{"at_s": "1"}', "{}", '{"end": 1}', "x"]
)
def test_words_that_make_no_sense_are_refused(call, message):
    with pytest.raises(InputError):
        call.receive(message)


def test_sound_before_its_kind_is_refused():
    with pytest.raises(InputError, match="before"):
        PlainCall().receive(b"\x01")
