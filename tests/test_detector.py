"""The engine end to end on real encoded files, with the embedded model."""

import io
import threading

import cv2
import numpy as np
import pytest
import torch

from avdetect.checkpoint import Bundle
from avdetect.detector import Detector, _speaker_folder
from avdetect.errors import CheckpointError, UsageError
from avdetect.media.clip import open_clip
from avdetect.types import Decision
from avdetect.verdict import Verdict
from tests.bad_media import make_corpus
from tests.paths import SAMPLES
from tests.speech.test_speaker import save_speaker_model
from tests.synth import Sound, encode, tone

CALL = SAMPLES / "call_synthetic.wav"
PORTRAIT = SAMPLES / "portrait_forged.mp4"
PHOTOGRAPH = SAMPLES / "portrait_real.jpg"
HOLD_TONE = SAMPLES / "hold_tone.ogg"


@pytest.fixture(scope="module")
def detector():
    return Detector.load(device="cpu")


@pytest.fixture(scope="module")
def call(detector):
    return detector.scan(CALL)


@pytest.fixture(scope="module")
def portrait(detector):
    return detector.scan(PORTRAIT)


def test_each_caller_is_judged_and_the_worst_is_named(call):
    parts = call.branches["voice_clone"].parts
    assert [part.channel for part in parts] == ["left", "right"]
    assert all(part.fake_llr is not None for part in parts)
    worst = max(parts, key=lambda part: part.fake_llr)
    assert call.decided_by.channel == worst.channel
    assert call.fake_llr <= worst.fake_llr


def test_a_call_lacks_a_picture_and_says_so(call):
    assert call.missing["visual_forgery"] == "the input has no picture"
    assert call.missing["lip_sync"] == "the input has no picture"
    assert call.branches["visual_forgery"].fake_llr is None
    assert call.modalities.video_fake is None


def test_facts_of_the_input(call):
    assert call.input.duration_s == pytest.approx(13.135, abs=0.02)
    assert call.input.streams[0].codec == "pcm_mulaw"
    assert len(call.input.sha256) == 64
    assert call.quality.speech_s > 5
    assert 3000 < call.quality.bandwidth_hz <= 4000


def test_a_talking_portrait_is_judged_by_all_three_branches(portrait):
    assert portrait.missing == {}
    assert all(branch.fake_llr is not None for branch in portrait.branches.values())
    assert portrait.decided_by.face_track == 0
    assert {entry.branch for entry in portrait.timeline} == set(portrait.branches)
    assert portrait.quality.frames_used > 100


def test_a_photograph_is_judged_by_its_face_alone(detector):
    verdict = detector.scan(PHOTOGRAPH)
    assert verdict.branches["visual_forgery"].fake_llr is not None
    assert verdict.missing["voice_clone"] == "the input has no sound"


def test_a_hold_tone_is_inconclusive_with_the_reason(detector):
    verdict = detector.scan(HOLD_TONE)
    assert verdict.decision is Decision.INCONCLUSIVE
    assert verdict.fake_llr is None and verdict.fake_probability is None
    assert "speech" in verdict.missing["voice_clone"]
    assert verdict.error is None


def test_a_crowd_is_judged_by_its_largest_faces_and_says_so(detector, tmp_path):
    portrait = cv2.imread(str(PHOTOGRAPH))[:420, 40:460]
    tile = cv2.resize(portrait, (240, 240), interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(tmp_path / "crowd.png"), np.tile(tile, (5, 8, 1)))
    verdict = detector.scan(tmp_path / "crowd.png")
    assert verdict.quality.more_faces
    assert 2 <= len(verdict.branches["visual_forgery"].parts) <= 4
    assert verdict.fake_llr is not None


def test_cover_art_is_no_picture(detector, tmp_path):
    verdict = detector.scan(make_corpus(tmp_path)["mp3_with_cover"])
    assert verdict.missing["visual_forgery"] == "the input has no picture"


def test_probability_follows_the_prior_and_the_llr_does_not(detector, call):
    rare = detector.scan(CALL, prior_fake=0.01)
    assert rare.fake_llr == call.fake_llr
    assert rare.fake_probability < call.fake_probability


def test_the_same_input_gives_the_same_bits(detector, portrait):
    assert detector.scan(PORTRAIT).to_json() == portrait.to_json()


def test_company_changes_nothing(detector, call, portrait):
    together = list(detector.scan_many([PORTRAIT, CALL, HOLD_TONE]))
    assert [v.to_json() for v in together[:2]] == [portrait.to_json(), call.to_json()]


def test_threads_may_share_a_detector(detector, call):
    verdicts = []
    threads = [
        threading.Thread(target=lambda: verdicts.append(detector.scan(CALL))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {verdict.to_json() for verdict in verdicts} == {call.to_json()}


def test_bytes_a_stream_and_a_path_are_judged_alike(detector, call):
    data = CALL.read_bytes()
    for source in (data, io.BytesIO(data)):
        verdict = detector.scan(source, name=str(CALL))
        assert verdict.to_json() == call.to_json()


def test_an_array_with_its_rate_is_judged(detector, call):
    import av

    with av.open(str(CALL)) as container:
        blocks = [frame.to_ndarray().reshape(-1, 2) for frame in container.decode(audio=0)]
    samples = np.concatenate(blocks)
    verdict = detector.scan((samples, 8000))
    assert verdict.fake_llr == pytest.approx(call.fake_llr, abs=0.05)


def test_raw_mu_law_needs_and_obeys_its_rate(detector, tmp_path):
    wav = encode(
        tmp_path / "a.wav", sound=Sound(samples=tone(3.0, 8000), rate_hz=8000, codec="pcm_mulaw")
    )
    raw = tmp_path / "a.raw"
    raw.write_bytes(wav.read_bytes()[-24000:])
    verdict = detector.scan(raw, format="ulaw", rate=8000)
    assert verdict.input.duration_s == pytest.approx(3.0, abs=0.05)
    with pytest.raises(UsageError, match="both"):
        detector.scan(raw, format="ulaw")


def test_a_missing_file_does_not_end_the_loop(detector, call, tmp_path):
    gone = tmp_path / "gone.wav"
    first, second = detector.scan_many([gone, CALL])
    assert first.error.code == "not_found"
    assert first.decision is Decision.INCONCLUSIVE and first.fake_llr is None
    assert "gone.wav" in first.error.message
    assert second.to_json() == call.to_json()


def test_a_verdict_survives_the_wire(portrait):
    assert Verdict.from_json(portrait.to_json()) == portrait


def test_an_examination_carries_what_a_report_shows(detector, portrait):
    seen = []
    examination = detector.examine(
        PORTRAIT, progress=lambda done, total: seen.append((done, total)), explain=False
    )
    assert examination.verdict.to_json() == portrait.to_json()
    assert examination.exhibits.audio and examination.exhibits.faces[0].thumbnails
    assert examination.bites
    assert examination.sightings is None  # nobody asked
    assert {face.track for face in examination.exhibits.masked_faces} == {0}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_only_the_worst_stretches_are_explained_and_only_when_asked(detector, call):
    plain = detector.examine(CALL, explain=False)
    assert plain.verdict.to_json() == call.to_json()
    assert all(bite.attribution is None for bite in plain.bites)
    (first, *_, last) = detector.examine(CALL).bites
    assert last.attribution is None
    assert first.bandwidth_hz is not None
    assert first.attribution.falls.shape == (8, 8)
    assert first.attribution.fake_llr == pytest.approx(
        max(entry.fake_llr for entry in call.timeline if entry.channel == first.channel), abs=1.0
    )


@pytest.fixture(scope="module")
def customer(tmp_path_factory):
    with open_clip(CALL) as clip:
        sound = np.concatenate([c.waveform for c in clip.chunks(want_video=False)], axis=1)
    path = tmp_path_factory.mktemp("reference") / "customer.wav"
    return encode(path, sound=Sound(samples=sound[0], codec="pcm_s16le"))


@pytest.fixture(scope="module")
def comparing(detector, tmp_path_factory):
    folder = save_speaker_model(tmp_path_factory.mktemp("m") / "ecapa")
    return Detector(detector.bundle, detector._judges, torch.device("cpu"), folder)


def test_a_reference_changes_no_bit_of_the_verdict(comparing, call, customer):
    verdict = comparing.scan(CALL, reference=customer)
    assert verdict.reference.parts[0].channel == "left"
    assert verdict.reference.parts[0].similarity > 0.99
    assert verdict.model_copy(update={"reference": None}).to_json() == call.to_json()


def test_a_voice_enrolled_once_is_compared_with_many_clips(comparing, call, customer):
    enrolled = comparing.enrol(customer)
    first, hum = comparing.scan_many([CALL, HOLD_TONE], reference=enrolled)
    assert (
        first.reference
        == comparing.examine(CALL, reference=customer, explain=False).verdict.reference
    )
    assert hum.reference.missing == "no speech found in the clip"


def test_without_a_speaker_model_the_verdict_says_how_to_get_one(detector, call, customer):
    verdict = detector.scan(CALL, reference=customer)
    assert "--speaker-model" in verdict.reference.missing
    assert [part.similarity for part in verdict.reference.parts] == [None, None]
    assert verdict.fake_llr == call.fake_llr


def test_a_folder_without_weights_is_named_and_a_damaged_one_refused(detector, customer, tmp_path):
    comparing = Detector(detector.bundle, detector._judges, torch.device("cpu"), tmp_path)
    assert str(tmp_path) in comparing.enrol(customer).missing
    (tmp_path / "embedding_model.ckpt").write_bytes(b"cut off")
    with pytest.raises(CheckpointError, match=tmp_path.name):
        comparing.enrol(customer)


def test_a_reference_that_cannot_be_read_is_refused_before_anything_is_judged(detector, tmp_path):
    with pytest.raises(UsageError, match=r"reference .*gone\.wav"):
        detector.scan(CALL, reference=tmp_path / "gone.wav")


def test_the_speaker_model_is_what_was_named_first(monkeypatch, tmp_path):
    bundle = Bundle(name="b", checkpoints={}, decision={}, speaker_model=tmp_path / "bundle")
    monkeypatch.delenv("AVDETECT_SPEAKER_MODEL", raising=False)
    assert _speaker_folder(None, bundle) == tmp_path / "bundle"
    monkeypatch.setenv("AVDETECT_SPEAKER_MODEL", str(tmp_path / "env"))
    assert _speaker_folder(None, bundle) == tmp_path / "env"
    assert _speaker_folder(tmp_path / "given", bundle) == tmp_path / "given"


@pytest.mark.parametrize(
    "options", [{"prior_fake": 0.0}, {"prior_fake": 1.5}, {"channel": "middle"}]
)
def test_senseless_options_are_refused(detector, options):
    with pytest.raises(UsageError):
        detector.scan(CALL, **options)


def test_an_unknown_bundle_or_device_is_refused():
    with pytest.raises(CheckpointError, match="default"):
        Detector.load("no-such-bundle")
    with pytest.raises(UsageError):
        Detector.load(device="abacus")
