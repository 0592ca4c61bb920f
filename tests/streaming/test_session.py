"""A live call says what a scan of the same sound says, whatever comes in between."""

import threading
from itertools import pairwise

import numpy as np
import pytest

from avdetect.channels.concealment import conceal
from avdetect.detector import Detector
from avdetect.errors import InputLimitError, UsageError
from avdetect.media.clip import RawFormat, open_clip
from avdetect.streaming.inlet import MAX_WAITING_S
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.session import StreamSession
from avdetect.streaming.shared import SharedBranches
from avdetect.streaming.track import FIRST_SPEECH_S
from avdetect.types import Decision
from tests.streaming.calls import RATE_HZ, call_legs, packets
from tests.synth import tone, ulaw_bytes

CUT_LLR = 0.5  # a scan of sound that is cut here knows less of where its last word ends
FIRM = 0.9  # a prior by which the call is decided


@pytest.fixture(scope="module")
def detector():
    return Detector.load(device="cpu")


@pytest.fixture(scope="module")
def legs():
    return call_legs()


def stream(session, sound, **where):
    """Push packet by packet; all updates, the verdict last."""
    updates = [update for packet in packets(sound) for update in session.push(packet, **where)]
    return [*updates, *session.finish()]


@pytest.fixture(scope="module")
def updates(detector, legs):
    return stream(StreamSession(detector, StreamOptions(name="leg")), legs[0])


def scan(detector, sound, name="leg"):
    return detector.scan(sound, format="ulaw", rate=RATE_HZ, name=name, cues="none")


def test_the_verdict_is_that_of_a_scan_to_the_last_bit(detector, legs, updates):
    assert updates[-1].verdict.to_json() == scan(detector, legs[0]).to_json()


def test_every_judgement_is_a_scan_of_the_sound_so_far(detector, legs, updates):
    for judgement in updates[1:-1:3]:
        so_far = legs[0][: round(judgement.heard_s * RATE_HZ)]
        assert judgement.fake_llr == pytest.approx(scan(detector, so_far).fake_llr, abs=CUT_LLR)


def test_judgements_begin_after_two_seconds_of_speech_and_come_with_every_further_one(updates):
    speech = [judgement.speech_s for judgement in updates[:-1]]
    assert FIRST_SPEECH_S <= speech[0] < FIRST_SPEECH_S + 1
    assert {int(later) - int(earlier) for earlier, later in pairwise(speech)} == {1}


def test_confidence_comes_with_some_stretches_of_speech(detector, legs):
    options = StreamOptions(name="leg", prior_fake=FIRM)
    updates = stream(StreamSession(detector, options), legs[0])
    assert updates[0].confidence is None
    later = [judgement for judgement in updates[:-1] if judgement.speech_s > 7]
    firm = [j for j in later if j.decision is not Decision.INCONCLUSIVE]
    assert firm
    assert all(0.5 < j.confidence <= 1.0 for j in firm)
    assert all(j.confidence is None for j in later if j not in firm)


@pytest.mark.parametrize("size", [1, 4_000, 40_000])
def test_the_size_of_packets_changes_nothing(detector, legs, updates, size):
    session = StreamSession(detector, StreamOptions(name="leg"))
    found = [update for packet in packets(legs[0], size) for update in session.push(packet)]
    assert [*found, *session.finish()] == updates


def test_two_interleaved_legs_are_judged_each_on_its_own(detector, legs):
    options = StreamOptions(tracks=("customer", "agent"), name="call")
    woven = np.stack([np.frombuffer(leg, np.uint8) for leg in legs], 1).tobytes()
    found = stream(StreamSession(detector, options), woven)
    verdicts = {update.track: update.verdict for update in found if update.type == "verdict"}
    for name, leg in zip(options.tracks, legs, strict=True):
        expected = scan(detector, leg, f"call ({name})")
        assert verdicts[name].to_json() == expected.to_json()


def test_two_legs_in_turns_are_judged_as_interleaved(detector, legs):
    options = StreamOptions(tracks=("inbound", "outbound"), name="call")
    session = StreamSession(detector, options)
    for pair in zip(*map(packets, legs), strict=True):
        for track, packet in zip(options.tracks, pair, strict=True):
            list(session.push(packet, track))
    verdicts = [update.verdict for update in session.finish()]
    assert [v.fake_llr for v in verdicts] == [scan(detector, leg).fake_llr for leg in legs]


def test_lost_packets_are_bridged_as_a_telephone_does(detector, legs):
    session = StreamSession(detector, StreamOptions(name="leg"))
    sent = packets(legs[0])
    lost = np.random.default_rng(3).random(len(sent)) < 0.02
    lost[[0, -1]] = False  # of those nobody would know
    for index, packet in enumerate(sent):
        if not lost[index]:
            list(session.push(packet, at_s=5.0 + 0.02 * index))
    (last,) = session.finish()
    with open_clip(legs[0], raw=RawFormat("ulaw", RATE_HZ)) as clip:
        whole = np.concatenate([chunk.native[0] for chunk in clip.chunks()])
    bridged = conceal(whole, np.repeat(lost, 2), RATE_HZ)
    expected = detector.scan((bridged, RATE_HZ)).fake_llr
    assert last.lost_s == pytest.approx(0.02 * lost.sum())
    assert last.verdict.fake_llr == pytest.approx(expected, abs=1e-4)


def test_a_hold_tone_is_never_judged(detector):
    found = stream(StreamSession(detector, StreamOptions()), ulaw_bytes(tone(6.0, RATE_HZ)))
    (last,) = found
    assert last.verdict.decision is Decision.INCONCLUSIVE
    assert last.verdict.fake_llr is None


def test_a_call_without_sound_has_a_verdict_too(detector):
    (last,) = StreamSession(detector, StreamOptions()).finish()
    assert last.verdict.decision is Decision.INCONCLUSIVE
    assert "speech" in last.verdict.reason


def test_a_certain_track_is_judged_for_good(detector, legs):
    options = StreamOptions(name="leg", stop_at=0.9, prior_fake=FIRM)
    session = StreamSession(detector, options)
    found = stream(session, legs[0])
    assert [update.type for update in found[-2:]] == ["judgement", "verdict"]
    judgement, last = found[-2:]
    assert last.stopped_early
    assert judgement.confidence >= 0.9
    assert last.verdict.fake_llr == judgement.fake_llr
    assert last.verdict.input.duration_s < 13
    assert all((u.confidence or 0) < 0.9 for u in found[:-2])
    assert session.is_over
    assert list(session.push(legs[1])) == []


def test_late_judging_leaves_out_judgements_not_sound(detector, legs):
    session = StreamSession(detector, StreamOptions(name="leg"))
    session.put(legs[0])
    assert len(list(session.advance())) == 1
    (last,) = session.finish()
    assert last.verdict.to_json() == scan(detector, legs[0]).to_json()


def test_sound_that_nobody_hears_is_refused_instead_of_kept(detector, legs):
    session = StreamSession(detector, StreamOptions())
    with pytest.raises(InputLimitError):
        for _ in range(3):
            session.put(legs[0])
    assert session.waiting_s <= MAX_WAITING_S


def test_an_unknown_track_is_refused(detector):
    with pytest.raises(UsageError, match="inbound"):
        StreamSession(detector, StreamOptions(tracks=("inbound",))).put(b"\xff", "outbound")


@pytest.mark.parametrize(
    "options",
    [
        {"encoding": "mp3"},
        {"rate_hz": 44_100},
        {"tracks": ()},
        {"tracks": ("a", "a")},
        {"tracks": ("a", "b", "c")},
        {"prior_fake": 0.0},
        {"stop_at": 1.0},
    ],
)
def test_senseless_options_are_refused(options):
    with pytest.raises(UsageError):
        StreamOptions(**options)


def test_calls_that_share_batches_are_judged_as_alone(detector, legs):
    shared = SharedBranches(detector.judges.branches)
    found: dict[int, list] = {}

    def serve(number: int) -> None:
        session = StreamSession(detector, StreamOptions(name="leg"), shared)
        found[number] = stream(session, legs[number % 2])

    threads = [threading.Thread(target=serve, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(4):
        assert found[number][-1].verdict.to_json() == scan(detector, legs[number % 2]).to_json()


def test_a_failure_reaches_every_call_of_the_batch_and_no_other(detector, legs):
    class Broken:
        name, token_width = "voice_clone", 1

        def run(self, observations):
            raise RuntimeError("out of order")

    shared = SharedBranches({"voice_clone": Broken()})
    for _ in range(2):
        session = StreamSession(detector, StreamOptions(), shared)
        with pytest.raises(RuntimeError, match="out of order"):
            stream(session, legs[0])
