"""One real talking head, several forged variants of it, all through the same channels.

real           as recorded
voice          its speech through a vocoder: the mouth still speaks it
face           a forged face in every frame, same settings throughout
foreign        another person's real speech over it
voice_foreign  another person's speech through a vocoder over it
dubbed         a forged face and another person's vocoded speech: everything at once
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from avdetect.channels.chain import Channel, random_channel
from avdetect.faces.align import face_transform
from avdetect.media.clip import AudioChunk
from avdetect.observation import FaceWindow, Observation
from avdetect.speech.buffer import SoundBuffer
from avdetect.timebase import FRAME_RATE_HZ, OBSERVATION_HOP_S, OBSERVATION_S, SAMPLE_RATE_HZ
from avdetect.types import Segment
from recipes.datasets.talking_heads import TalkingHeadClip
from recipes.forge.faces import Face, Material, forge
from recipes.forge.picture_channel import PictureChannel, apply_channel, draw_channel
from recipes.forge.voices import VOCODERS, forge_twin

FACE_KINDS = ("self_blend", "lip_box", "resampled", "other_moment", "upsampled")
LABELS = ("fake", "audio_fake", "video_fake", "out_of_sync")
VARIANTS: dict[str, tuple[int, int, int, int]] = {
    "real": (0, 0, 0, 0),
    "voice": (1, 1, 0, 0),
    "face": (1, 0, 1, 0),
    "foreign": (1, 0, 0, 1),
    "voice_foreign": (1, 1, 0, 1),
    "dubbed": (1, 1, 1, 1),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """What one clip's variants share, so that they differ in nothing but the forgery."""

    sound: Channel
    picture: PictureChannel | None
    face_kind: str
    vocoder: str
    seed: int

    @classmethod
    def draw(cls, rng: np.random.Generator) -> Draws:
        """Channels for half of the clips; the rest stay as they came."""
        return cls(
            sound=random_channel(rng) if rng.random() < 0.5 else Channel(names=(), steps=()),
            picture=draw_channel(rng) if rng.random() < 0.5 else None,
            face_kind=str(rng.choice(FACE_KINDS)),
            vocoder=str(rng.choice(sorted(VOCODERS))),
            seed=int(rng.integers(2**31)),
        )


def forge_variant(
    variant: str, clip: TalkingHeadClip, other: TalkingHeadClip, draws: Draws
) -> TalkingHeadClip:
    """The clip as ``variant`` has it.

    Args:
        variant: a key of `VARIANTS`.
        clip: a real clip with sound.
        other: a real clip of another person: the foreign speech.
        draws: shared by all variants of ``clip``.
    """
    sound, faces = clip.audio, clip.faces
    if variant in ("foreign", "voice_foreign", "dubbed"):
        sound = _fit(other.audio, len(clip.audio))
    if variant in ("voice", "voice_foreign", "dubbed"):
        sound = forge_twin(sound, draws.vocoder, np.random.default_rng(draws.seed))
    if variant in ("face", "dubbed"):
        faces = forge_faces(clip, draws.face_kind, draws.seed)
    if draws.picture is not None and len(faces):
        channel = draws.picture
        faces = np.stack([apply_channel(channel, face) for face in faces])
    return replace(clip, audio=draws.sound(sound), faces=faces)


def observations(clip: TalkingHeadClip) -> Iterator[Observation]:
    """The clip cut as the engine cuts it, from its prepared crops."""
    end_s = max(len(clip.audio) / SAMPLE_RATE_HZ, (clip.frame_index[-1] + 1) / FRAME_RATE_HZ)
    sound = SoundBuffer(1, (0,))
    waveform = clip.audio[None]
    sound.push(
        AudioChunk(start_s=0.0, native=waveform, native_rate_hz=SAMPLE_RATE_HZ, waveform=waveform)
    )
    sound.finish()
    start_s, covered_s = 0.0, 0.0
    while True:
        segment = Segment(start_s, min(start_s + OBSERVATION_S, end_s))
        channels, _ = sound.window(segment)
        face = _face_window(clip, segment)
        yield Observation(
            segment=segment,
            fresh=Segment(covered_s, segment.end_s),
            channels=channels,
            faces=() if face is None else (face,),
            speaking_track=0 if face is not None and channels else None,
        )
        covered_s = segment.end_s
        if covered_s >= end_s - 0.5 / FRAME_RATE_HZ:
            return
        # The engine's last observation reaches back so that it, too, is a full one.
        start_s = max(0.0, min(start_s + OBSERVATION_HOP_S, end_s - OBSERVATION_S))


def _face_window(clip: TalkingHeadClip, segment: Segment) -> FaceWindow | None:
    clock_s = clip.frame_index / FRAME_RATE_HZ
    inside = (clock_s >= segment.start_s - 1e-6) & (clock_s < segment.end_s - 1e-6)
    if not inside.any() or not len(clip.faces):
        return None
    points = clip.landmarks[inside].astype(np.float32)
    low, high = points.min(1), points.max(1)
    nearest = np.abs(clip.face_index[None] - clip.frame_index[inside][:, None]).argmin(1)
    return FaceWindow(
        track=0,
        shot=0,
        frame_index=clip.frame_index[inside],
        frame_s=clock_s[inside],
        faces=clip.faces[nearest],
        mouths=clip.mouths[inside],
        boxes=np.concatenate([low, high], axis=1),
        landmarks=points,
        size_px=float(np.median((high - low).max(1))),
        yaw_deg=0.0,  # the prepared mesh has no depth; the clips chosen are frontal
    )


def forge_faces(clip: TalkingHeadClip, kind: str, seed: int) -> NDArray[np.uint8]:
    """(F, S, S, 3) its face crops forged by one forger with one setting, as a clip's are.

    Args:
        clip: a real clip with a face.
        kind: of `FACE_KINDS`.
        seed: of the setting, the same in every frame, so that what other moments lend is equally
            far away in all of them.
    """
    index = {int(tick): i for i, tick in enumerate(clip.frame_index)}
    faces = []
    for tick, picture in zip(clip.face_index.tolist(), clip.faces, strict=True):
        points = clip.landmarks[index[tick]].astype(np.float32)
        inside = cv2.transform(points[None], face_transform(points))[0]
        faces.append(Face(picture=picture, landmarks=inside))
    away = int(np.random.default_rng(seed).integers(1, len(faces))) if len(faces) > 1 else 0
    forged = []
    for number, face in enumerate(faces):
        moment = faces[(number + away) % len(faces)] if away else None
        material = Material(face=face, moment=moment, stranger=face, redrawn=())
        forged.append(forge(kind, material, np.random.default_rng(seed)).fake)
    return np.stack(forged)


def forge_faces_by_chance(clip: TalkingHeadClip, rng: np.random.Generator) -> NDArray[np.uint8]:
    """`forge_faces` by a forger and with a setting drawn anew."""
    return forge_faces(clip, str(rng.choice(FACE_KINDS)), int(rng.integers(2**31)))


def _fit(sound: NDArray[np.float32], length: int) -> NDArray[np.float32]:
    return np.resize(sound, length).astype(np.float32)
