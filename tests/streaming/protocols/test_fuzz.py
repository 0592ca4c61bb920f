"""Hostile senders: whatever comes, a protocol answers with events or with `InputError`."""

import json
import random

import pytest

from avdetect.errors import InputError
from avdetect.streaming.inlet import Inlet
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.protocols.audiohook import AudioHookCall
from avdetect.streaming.protocols.events import Sound, Started
from avdetect.streaming.protocols.plain import PlainCall
from avdetect.streaming.protocols.twilio import TwilioCall
from tests.streaming.protocols.messages import AudioHookSender, TwilioSender

N_CALLS = 300
ODD = [
    None, True, -1, 0, 1e308, 2**70, "", "x", "\x00", "9" * 400, "PT1S", "٣", [], {}, [[]],
    float("nan"), float("inf"), "inbound", "AAAA", "=", "\ud800", 10**400,
]  # fmt: skip


def twilio_call(rng):
    legs = {"inbound": rng.randbytes(1_600), "outbound": rng.randbytes(1_600)}
    return list(TwilioSender().call(legs))


def audiohook_call(rng):
    sender = AudioHookSender()
    messages = [sender.open()]
    sender.serverseq = 1
    for _ in range(8):
        messages.append(rng.randbytes(2 * rng.randrange(1, 400)))
        messages.append(sender.message("ping"))
        messages.append(sender.message("discarded", {"start": "PT1S", "discarded": "PT0.5S"}))
    return [*messages, sender.close()]


def plain_call(rng):
    sound = [rng.randbytes(rng.randrange(1, 400)) for _ in range(8)]
    return ['{"encoding": "s16le", "tracks": ["a", "b"]}', *sound, '{"at_s": 3}', '{"end": true}']


def mutated(message, rng):
    """The message with bytes changed, cut or repeated, or with an odd value in some field."""
    if isinstance(message, str) and rng.random() < 0.6:
        try:
            found = json.loads(message)
        except ValueError:
            return message
        spoil(found, rng)
        return json.dumps(found)
    data = bytearray(message.encode() if isinstance(message, str) else message)
    for _ in range(rng.randrange(1, 5)):
        at = rng.randrange(len(data) + 1)
        data[at : at + rng.randrange(4)] = rng.randbytes(rng.randrange(4))
    return data.decode("utf-8", "replace") if isinstance(message, str) else bytes(data)


def spoil(found, rng):
    while True:
        keys = list(found) if isinstance(found, dict) else list(range(len(found)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(found[key], dict | list) and rng.random() < 0.7:
            found = found[key]
            continue
        found[key] = rng.choice(ODD)
        return


@pytest.mark.parametrize(
    ("build", "messages"),
    [(TwilioCall, twilio_call), (AudioHookCall, audiohook_call), (PlainCall, plain_call)],
)
def test_no_sender_breaks_a_protocol_or_what_hears_it(build, messages):
    rng = random.Random(7)
    refused = heard = 0
    for _ in range(N_CALLS):
        call, inlets = build(), {}
        options = StreamOptions()
        script = messages(rng)
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(script))
            script[at] = mutated(script[at], rng)
        if rng.random() < 0.3:
            rng.shuffle(script)
        try:
            for message in script:
                for event in call.receive(message):
                    if isinstance(event, Started):
                        options = event.options
                    elif isinstance(event, Sound):
                        inlet = inlets.setdefault(
                            event.track, Inlet("call", options.encoding, options.rate_hz)
                        )
                        inlet.put(event.data, event.at_s)
                        heard += sum(1 for _ in inlet.chunks())
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
            assert all(json.loads(text) for text in call.refused(str(error)))
        heard += sum(1 for inlet in inlets.values() for _ in inlet.finish())
    assert 0 < refused < N_CALLS
    assert heard > 0
