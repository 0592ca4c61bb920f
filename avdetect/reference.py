"""Is it the enrolled person's voice: a finding of its own beside the verdict, never part of it.

Each sound channel of a clip is compared with one enrolled recording by the cosine of their speaker
embeddings. Similarity is not identity: a good clone of the customer is meant to score high.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.errors import InputError, UsageError
from avdetect.media.clip import Clip, open_clip
from avdetect.media.source import SourceLike
from avdetect.observation import ChannelAudio, Observation
from avdetect.observe import observe
from avdetect.speech.speaker import SpeakerModel, VoicePrint, cosine
from avdetect.timebase import seconds_to_samples
from avdetect.types import Segment
from avdetect.verdict import Model, ReferencePart, ReferenceVerdict

LEAST_SPEECH_S = 3.0  # embeddings of less follow the words spoken more than the speaker


@dataclass(frozen=True, slots=True, kw_only=True)
class EnrolledVoice:
    """A reference recording, heard once and compared with many clips; made by `enrol`.

    Attributes:
        path: its name as it goes on the wire.
        sha256: of its bytes.
        speech_s: seconds of speech in it.
        model: the speaker model; None where there is none.
        embedding: (D,) the voice; None where ``missing`` is set.
        missing: why nothing can be compared with it.
    """

    path: str
    sha256: str
    speech_s: float
    model: SpeakerModel | None
    embedding: NDArray[np.float64] | None
    missing: str | None = None


def enrol(source: SourceLike, model: SpeakerModel | None, *, no_model: str = "") -> EnrolledVoice:
    """Hear a reference recording.

    Args:
        source: a recording of one voice, as `open_clip` takes it.
        model: the speaker model.
        no_model: the reason to give where ``model`` is None.

    Raises:
        UsageError: the recording cannot be read, has no sound, or holds two voices.
    """
    try:
        with open_clip(source) as clip:
            voice = _only_voice(clip, model)
            path, sha256 = clip.path, clip.sha256
    except InputError as error:
        raise UsageError(f"the reference cannot be used: {error}") from error
    missing = no_model if model is None else _too_little(voice.speech_s, "in the reference")
    return EnrolledVoice(
        path=path,
        sha256=sha256,
        speech_s=voice.speech_s,
        model=model,
        embedding=None if missing else voice.finish(),
        missing=missing,
    )


class VoiceComparison:
    """Compares one clip with an enrolled voice while the clip streams by."""

    def __init__(self, enrolled: EnrolledVoice) -> None:
        self._enrolled = enrolled
        self._voices = _Voices(None if enrolled.missing else enrolled.model)

    def add(self, observation: Observation) -> None:
        """Hear what is fresh in an observation."""
        self._voices.add(observation)

    def verdict(self) -> ReferenceVerdict:
        """The finding, once the clip has gone by."""
        known, spoken = self._enrolled, self._voices.spoken()
        model = known.model
        return ReferenceVerdict(
            path=known.path,
            sha256=known.sha256,
            speech_s=round(known.speech_s, 3),
            model=None if model is None else Model(id=model.name, sha256=model.sha256),
            parts=tuple(self._part(channel, voice) for channel, voice in spoken.items()),
            missing=known.missing or (None if spoken else "no speech found in the clip"),
        )

    def _part(self, channel: str, voice: VoicePrint) -> ReferencePart:
        enrolled = self._enrolled.embedding
        too_little = None if enrolled is None else _too_little(voice.speech_s, "here")
        heard = None if enrolled is None or too_little else voice.finish()
        alike = None if enrolled is None or heard is None else round(cosine(enrolled, heard), 6)
        return ReferencePart(
            channel=channel,
            speech_s=round(voice.speech_s, 3),
            similarity=alike,
            missing=too_little,
        )


class _Voices:
    """The voice of each sound channel."""

    def __init__(self, model: SpeakerModel | None) -> None:
        self._model = model
        self._voices: dict[str, VoicePrint] = {}

    def add(self, observation: Observation) -> None:
        for channel in observation.channels:
            voice = self._voices.setdefault(channel.channel, VoicePrint(self._model))
            for speech in _fresh_speech(channel, observation):
                voice.add(speech)

    def spoken(self) -> dict[str, VoicePrint]:
        """Channels with any speech; copies of another and silent ones are left out."""
        return {name: voice for name, voice in self._voices.items() if voice.speech_s > 0}


def _only_voice(clip: Clip, model: SpeakerModel | None) -> VoicePrint:
    if not clip.has_audio:
        raise UsageError(f"the reference {clip.path} has no sound: give a recording of the voice")
    voices = _Voices(model)
    for observation in observe(clip, pictures=False):
        voices.add(observation)
    spoken = voices.spoken()
    enough = [name for name, voice in spoken.items() if voice.speech_s >= LEAST_SPEECH_S]
    if len(enough) > 1:
        raise UsageError(
            f"the reference {clip.path} has voices on channels {', '.join(enough)}: "
            "give a recording of the one voice"
        )
    return max(spoken.values(), key=lambda voice: voice.speech_s, default=VoicePrint(None))


def _fresh_speech(channel: ChannelAudio, observation: Observation) -> Iterator[NDArray[np.float32]]:
    for piece in channel.speech:
        fresh = piece.overlap(observation.fresh)
        if fresh is not None:
            yield _samples(channel, fresh, observation.segment.start_s)


def _samples(channel: ChannelAudio, piece: Segment, origin_s: float) -> NDArray[np.float32]:
    start = seconds_to_samples(piece.start_s - origin_s)
    return channel.waveform[start : seconds_to_samples(piece.end_s - origin_s)]


def _too_little(speech_s: float, where: str) -> str | None:
    if speech_s >= LEAST_SPEECH_S:
        return None
    return f"too little speech {where}: {speech_s:.1f} s found, {LEAST_SPEECH_S:.1f} s needed"
