"""Verdicts and exhibits made by hand, so that every word and drawing of a page is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from avdetect.calibration import probability
from avdetect.exhibits import (
    Attribution,
    AudioExhibit,
    Exhibits,
    FaceExhibit,
    FaceThumbnail,
    SoundBite,
)
from avdetect.sync_exhibit import MouthStrip, SyncExhibit
from avdetect.types import Decision, Part, Segment
from avdetect.verdict import (
    BranchVerdict,
    Cue,
    Evidence,
    Failure,
    Input,
    Modalities,
    Model,
    PartVerdict,
    Quality,
    ReferencePart,
    ReferenceVerdict,
    Stream,
    SuspiciousSegment,
    Synchrony,
    TimelineEntry,
    Verdict,
)

SHA = "5f" * 32
DURATION_S = 61.0


def failed_verdict(path: str = "broken.wav") -> Verdict:
    return Verdict(
        input=Input(path=path),
        decision=Decision.INCONCLUSIVE,
        prior_fake=0.5,
        error=Failure(code="unreadable_media", message=f"{path}: no sound or picture in it"),
    )


def silent_verdict(path: str = "hum.wav") -> Verdict:
    return Verdict(
        input=Input(path=path, sha256=SHA, duration_s=3.0),
        decision=Decision.INCONCLUSIVE,
        reason="Nothing could be judged: no speech was found.",
        prior_fake=0.5,
        missing={"voice_clone": "no speech: 0.0 s found", "lip_sync": "no picture"},
    )


def fake_call(path: str = "call.wav", fake_llr: float = 4.21, prior_fake: float = 0.5) -> Verdict:
    left = PartVerdict(channel="left", start_s=0.0, end_s=58.0, fake_llr=fake_llr)
    right = PartVerdict(channel="right", start_s=2.0, end_s=60.0, fake_llr=-1.9)
    face = PartVerdict(face_track=0, start_s=0.0, end_s=24.0, fake_llr=0.4)
    unseen = PartVerdict(face_track=1, missing="face smaller than 48 px")
    return Verdict(
        input=Input(
            path=path,
            sha256=SHA,
            duration_s=DURATION_S,
            streams=(
                Stream(kind="audio", codec="pcm_mulaw", rate=8000, channels=2, duration_s=61.0),
                Stream(kind="video", codec="h264", rate=29.97, width=1280, height=720),
            ),
        ),
        decision=Decision.FAKE if fake_llr > 0 else Decision.REAL,
        reason="The voice on the left channel carries the decision.",
        decided_by=left,
        fake_llr=fake_llr,
        fake_probability=probability(fake_llr, prior_fake),
        prior_fake=prior_fake,
        branches={
            "voice_clone": BranchVerdict(fake_llr=fake_llr, quality=0.9, parts=(left, right)),
            "visual_forgery": BranchVerdict(fake_llr=0.4, quality=0.6, parts=(face, unseen)),
        },
        modalities=Modalities(audio_fake=3.9, video_fake=0.2),
        timeline=tuple(_timeline()),
        evidence=(
            Evidence(
                branch="voice_clone",
                channel="left",
                start_s=12.0,
                end_s=20.0,
                fake_llr=4.4,
                text="The spectrum lacks the fine structure of a recorded voice.",
            ),
            Evidence(
                branch="voice_clone",
                channel="left",
                start_s=40.0,
                end_s=43.0,
                fake_llr=3.1,
                text="The same holds here.",
            ),
        ),
        suspicious=(
            SuspiciousSegment(
                branch="voice_clone", channel="left", start_s=12.34, end_s=13.3, score=0.8312
            ),
        ),
        cues=(Cue(name="av_offset", face_track=0, value=0.04, unit="s", text="Sound is late."),),
        missing={"lip_sync": "no face speaks while the sound does"},
        quality=Quality(
            speech_s=41.3, bandwidth_hz=3400.0, face_px=182.0, frames_used=610, faces_seen=2
        ),
        models=(Model(id="voice_clone-aasist-202611", sha256="ab" * 32),),
    )


def exhibits() -> Exhibits:
    return Exhibits(
        audio=(_audio("left", 1), _audio("right", 2)),
        faces=(FaceExhibit(track=0, thumbnails=tuple(_thumbnail(i) for i in range(12))),),
    )


def talking_face() -> Verdict:
    """A verdict that states synchrony: the sound is three frames late."""
    found = Synchrony(
        channel="left",
        face_track=0,
        av_offset_s=0.12,
        sync_distance=1.08,
        sync_confidence=0.17,
        text="the sound is 120 ms late: a constant offset is a fault of the recording",
    )
    return fake_call("talk.mp4").model_copy(update={"synchrony": (found,)})


def sync_exhibits() -> Exhibits:
    """What is shown of that face, and of one that the verdict says nothing of."""
    offsets = np.arange(-15, 16)
    likeness = np.exp(-(((offsets - 3) / 2.0) ** 2))
    similarity = np.tile(likeness, (200, 1)).astype(np.float32)
    similarity[:10] = np.nan
    strip = MouthStrip(
        segment=Segment(2.0, 3.2),
        mouths=np.stack([np.full((72, 72), 10 * k, np.uint8) for k in range(15)]),
        sound_s=1.4,
        column_s=0.005,
        envelope=np.tile(np.float32([-0.2, 0.4]), (480, 1)),
    )
    face = SyncExhibit(
        part=Part(channel="left", face_track=0),
        distances=1.3 - 0.2 * likeness,
        offset_frames=3,
        start_s=1.0,
        row_s=0.04,
        similarity=similarity,
        strips=(strip,),
    )
    return Exhibits(synchrony=(face, replace(face, part=Part(channel="left", face_track=7))))


def sounds() -> tuple[SoundBite, ...]:
    time_s = np.arange(16_000) / 16_000
    tone = np.asarray(0.5 * np.sin(2 * np.pi * 440 * time_s), np.float32)
    return (SoundBite(channel="left", segment=Segment(12.0, 13.0), waveform=tone),)


def explained_sounds() -> tuple[SoundBite, ...]:
    """One stretch whose score comes from one patch, then one that was not looked into."""
    falls = np.zeros((2, 2), np.float32)
    falls[1, 0], falls[0, 1] = 0.52, -0.26
    found = Attribution(
        fake_llr=1.9,
        falls=falls,
        edges_hz=(0.0, 2000.0, 8000.0),
        edges_s=(0.0, 0.5, 1.0),
        spectrogram=np.tile(np.linspace(-20, -60, 257, dtype=np.float32)[:, None], (1, 50)),
    )
    (bite,) = sounds()
    return (replace(bite, attribution=found), bite)


def referenced_call() -> Verdict:
    reference = ReferenceVerdict(
        path="customer.wav",
        sha256="cd" * 32,
        speech_s=20.31,
        model=Model(id="spkrec-ecapa-voxceleb", sha256="ef" * 32),
        parts=(
            ReferencePart(channel="left", speech_s=41.3, similarity=0.6234),
            ReferencePart(channel="right", speech_s=1.2, missing="too little speech here: 1.2 s"),
        ),
    )
    return fake_call().model_copy(update={"reference": reference})


def uncompared_call() -> Verdict:
    reference = ReferenceVerdict(
        path="customer.wav",
        sha256="cd" * 32,
        speech_s=20.31,
        parts=(ReferencePart(channel="left", speech_s=41.3),),
        missing="no speaker model: name one",
    )
    return fake_call().model_copy(update={"reference": reference})


def _timeline() -> list[TimelineEntry]:
    rng = np.random.default_rng(7)
    rows = [("left", 3.0), ("right", -2.0)]
    entries = [
        TimelineEntry(
            start_s=float(start_s),
            end_s=float(min(start_s + 3, DURATION_S)),
            branch="voice_clone",
            channel=channel,
            fake_llr=float(level + rng.normal()),
        )
        for channel, level in rows
        for start_s in range(0, 60, 3)
    ]
    entries += [
        TimelineEntry(
            start_s=second,
            end_s=second + 1,
            branch="visual_forgery",
            face_track=0,
            fake_llr=float(rng.normal()),
        )
        for second in range(24)
    ]
    return entries


def _audio(channel: str, seed: int) -> AudioExhibit:
    rng = np.random.default_rng(seed)
    n = 1220
    loudness = np.abs(np.sin(np.arange(n) / 20)) * (np.sin(np.arange(n) / 150) > -0.4) + 0.01
    peaks = loudness * rng.uniform(0.3, 0.9, n)
    envelope = np.stack([-peaks, peaks * 0.9], axis=1).astype(np.float32)
    tilt = np.linspace(0, -40, 128)[:, None]
    harmonics = 12 * np.cos(np.arange(128)[:, None] * (0.7 + 0.1 * np.sin(np.arange(n) / 30)))
    level = 20 * np.log10(peaks)[None] + tilt + harmonics + rng.normal(0, 3, (128, n))
    return AudioExhibit(
        channel=channel,
        column_s=0.05,
        envelope=envelope,
        spectrogram=level.astype(np.float32),
        max_hz=4000.0,
    )


def _thumbnail(index: int) -> FaceThumbnail:
    y, x = np.mgrid[0:96, 0:96]
    face = ((x - 48) ** 2 / 900 + (y - 48) ** 2 / 1500) < 1
    picture = np.where(face[..., None], (224, 180, 150), (90 + 8 * index, 120, 140))
    llr = None if index == 5 else float(np.sin(index))
    return FaceThumbnail(time_s=2.0 * index, picture=picture.astype(np.uint8), fake_llr=llr)
