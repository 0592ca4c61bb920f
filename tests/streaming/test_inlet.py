import numpy as np
import pytest

from avdetect.errors import InputLimitError
from avdetect.streaming.inlet import MAX_HOLE_S, MAX_WAITING_S, Inlet
from tests.media.reading import read_whole
from tests.streaming.calls import RATE_HZ, packets
from tests.synth import noise, tone, ulaw_bytes


def heard(inlet: Inlet) -> np.ndarray:
    return np.concatenate([chunk.waveform for chunk in inlet.finish()], axis=1)[0]


@pytest.fixture(scope="module")
def sound() -> bytes:
    return ulaw_bytes(noise(2.0, RATE_HZ))


def test_bytes_of_any_length_are_heard_as_the_file_is(sound):
    from avdetect.media.clip import RawFormat

    inlet = Inlet("call", "ulaw", RATE_HZ)
    for packet in packets(sound, 37):
        inlet.put(packet)
    whole = read_whole(sound, raw=RawFormat("ulaw", RATE_HZ))
    assert np.array_equal(heard(inlet), whole.waveform[0])


def test_a_sample_may_be_cut_in_two():
    samples = (noise(1.0, 16_000) * 32767).astype("<i2").tobytes()
    halves, whole = Inlet("call", "s16le", 16_000), Inlet("call", "s16le", 16_000)
    for packet in packets(samples, 333):
        halves.put(packet)
    whole.put(samples)
    assert np.array_equal(heard(halves), heard(whole))


def test_a_lost_second_becomes_a_silent_second(sound):
    inlet = Inlet("call", "ulaw", RATE_HZ)
    for index, packet in enumerate(packets(sound)):
        if not 50 <= index < 75:  # 1.0 to 1.5 s
            inlet.put(packet, 7.0 + 0.02 * index)
    waveform = heard(inlet)
    assert inlet.lost_s == pytest.approx(0.5)
    assert len(waveform) == 2 * 16_000
    assert np.abs(waveform[16_000 + 1_000 : 23_800]).max() < 1e-3  # 60 ms are bridged
    assert np.abs(waveform[24_200:]).max() > 0.1


def test_a_lost_packet_is_bridged_by_what_came_before():
    spoken, inlet = tone(1.0, RATE_HZ, 150.0), Inlet("call", "ulaw", RATE_HZ)
    found = []
    for index, packet in enumerate(packets(ulaw_bytes(spoken))):
        if index != 25:
            inlet.put(packet, 0.02 * index)
            found += inlet.chunks()
    found += inlet.finish()
    whole = Inlet("call", "ulaw", RATE_HZ)
    whole.put(ulaw_bytes(spoken))
    waveform = np.concatenate([chunk.waveform[0] for chunk in found])
    error = (waveform - heard(whole))[8_000:8_320]
    assert np.abs(error).max() < 0.1  # of an amplitude of 0.3


def test_times_that_waver_leave_no_holes(sound):
    inlet = Inlet("call", "ulaw", RATE_HZ)
    for index, packet in enumerate(packets(sound)):
        inlet.put(packet, 0.02 * index + (0.01 if index % 2 else 0.0))
    assert len(heard(inlet)) == 2 * 16_000
    assert inlet.lost_s == 0.0


def test_what_was_heard_is_not_heard_again(sound):
    inlet = Inlet("call", "ulaw", RATE_HZ)
    inlet.put(sound[:RATE_HZ], 0.0)
    inlet.put(sound[RATE_HZ // 2 :], 0.5)
    assert len(heard(inlet)) == 2 * 16_000


def test_a_clock_that_starts_anew_is_followed(sound):
    inlet = Inlet("call", "ulaw", RATE_HZ)
    inlet.put(sound, 100.0)
    inlet.put(sound, 0.0)
    inlet.put(sound, 2.0)
    assert len(heard(inlet)) == 6 * 16_000


def test_a_clock_that_leaps_costs_a_short_silence(sound):
    inlet = Inlet("call", "ulaw", RATE_HZ)
    inlet.put(sound, 0.0)
    inlet.put(sound, 3600.0)
    assert len(heard(inlet)) == (4 + MAX_HOLE_S) * 16_000
    assert inlet.lost_s == pytest.approx(3598.0)


def test_more_than_may_wait_is_refused(sound):
    inlet = Inlet("call", "ulaw", RATE_HZ)
    with pytest.raises(InputLimitError, match="call: more than"):
        for _ in range(round(MAX_WAITING_S)):
            inlet.put(sound)
    assert inlet.waiting_s <= MAX_WAITING_S
