"""Trace files: who made each, and which of them come from one source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from avdetect.errors import InputError
from avdetect.media.clip import Clip, open_clip
from avdetect.media.source import SourceLike, display_path
from avdetect.tracing.gather import gather
from avdetect.tracing.grouping import group, probability
from avdetect.tracing.picture_evidence import Measurement
from avdetect.tracing.pictures import PictureTracer
from avdetect.tracing.properties import CAMERA, UNKNOWN
from avdetect.tracing.results import Failure, Medium, SourceGroup, Trace, Tracing
from avdetect.tracing.vocoders import HUMAN
from avdetect.tracing.voices import VoiceMeasurement, VoiceTracer, measure_voice

_UNKNOWN_TITLE = "unknown source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracers:
    """What looks; None does not look at all."""

    picture: PictureTracer | None = None
    voice: VoiceTracer | None = None


def trace_pictures(sources: Iterable[SourceLike], tracer: PictureTracer) -> Tracing:
    """Trace the pictures of files: photographs whole, of videos the faces of several frames.

    Args:
        sources: files as `open_clip` takes them.
        tracer: as `load_picture_tracer` gives it.

    Returns:
        One trace per readable file in order; files that cannot be read are failures.
    """
    return trace_files(sources, Tracers(picture=tracer))


def trace_voices(sources: Iterable[SourceLike], tracer: VoiceTracer) -> Tracing:
    """Trace the voices of files; as `trace_pictures`."""
    return trace_files(sources, Tracers(voice=tracer))


def trace_files(
    sources: Iterable[SourceLike],
    tracers: Tracers,
    *,
    progress: Callable[[], None] = lambda: None,
) -> Tracing:
    """Trace pictures and voices of files; what a file does not hold is not traced.

    Args:
        sources: files as `open_clip` takes them.
        tracers: what looks.
        progress: called after each file.
    """
    seen: list[tuple[Trace, Measurement | VoiceMeasurement | None]] = []
    failures = []
    for source in sources:
        try:
            with open_clip(source) as clip:
                seen += _trace_clip(clip, tracers)
        except InputError as error:
            name = display_path(source) if isinstance(source, str) else str(source)
            failures.append(Failure(path=name, code=error.code, message=str(error)))
        progress()
    models = [tracer.name for tracer in (tracers.picture, tracers.voice) if tracer is not None]
    return Tracing(
        traces=tuple(trace for trace, _ in seen),
        groups=(*_picture_groups(seen, tracers.picture), *_voice_groups(seen, tracers.voice)),
        failures=tuple(failures),
        models=tuple(models),
    )


def _trace_clip(
    clip: Clip, tracers: Tracers
) -> list[tuple[Trace, Measurement | VoiceMeasurement | None]]:
    look = tracers.picture is not None and clip.has_video
    listen = tracers.voice is not None and clip.has_audio
    if not look and not listen:
        wanted = "picture" if tracers.voice is None else "sound"
        raise InputError(f"{clip.path}: holds no {wanted} to trace")
    found = gather(clip, pictures=look, sound=listen)
    traced: list[tuple[Trace, Measurement | VoiceMeasurement | None]] = []
    if look and tracers.picture is not None:
        if found.pictures:
            measured = tracers.picture.measure(found.pictures)
            traced.append((_picture_trace(clip, tracers.picture, measured), measured))
        else:
            traced.append((_untraced(clip, "picture", str(found.no_pictures)), None))
    if listen and tracers.voice is not None:
        voice, reason = measure_voice(found.sound)
        if voice is not None:
            traced.append((_voice_trace(clip, tracers.voice, voice), voice))
        else:
            traced.append((_untraced(clip, "voice", str(reason)), None))
    return traced


def _picture_trace(clip: Clip, tracer: PictureTracer, measured: Measurement) -> Trace:
    named = tracer.attribute(measured)
    design = () if named.source == CAMERA else tracer.parse_design(measured)
    return Trace(
        path=clip.path,
        sha256=clip.sha256,
        medium="picture",
        source=named.source,
        title=_UNKNOWN_TITLE if named.reason else named.candidates[0].title,
        reason=named.reason,
        candidates=named.candidates,
        design=design,
        n_looked_at=measured.n_blocks,
    )


def _voice_trace(clip: Clip, tracer: VoiceTracer, measured: VoiceMeasurement) -> Trace:
    named = tracer.attribute(measured)
    return Trace(
        path=clip.path,
        sha256=clip.sha256,
        medium="voice",
        source=named.source,
        title=_UNKNOWN_TITLE if named.reason else named.candidates[0].title,
        reason=named.reason,
        candidates=named.candidates,
        design=(),
        n_looked_at=measured.n_stretches,
    )


def _untraced(clip: Clip, medium: Medium, reason: str) -> Trace:
    return Trace(
        path=clip.path,
        sha256=clip.sha256,
        medium=medium,
        source=UNKNOWN,
        title=_UNKNOWN_TITLE,
        reason=reason,
        candidates=(),
        design=(),
        n_looked_at=0,
    )


def _picture_groups(
    seen: Sequence[tuple[Trace, Measurement | VoiceMeasurement | None]],
    tracer: PictureTracer | None,
) -> tuple[SourceGroup, ...]:
    made = [
        (trace, m) for trace, m in seen if isinstance(m, Measurement) and trace.source != CAMERA
    ]
    if tracer is None or len(made) < 2:
        return ()
    return _groups([trace for trace, _ in made], tracer.same_source([m for _, m in made]))


def _voice_groups(
    seen: Sequence[tuple[Trace, Measurement | VoiceMeasurement | None]],
    tracer: VoiceTracer | None,
) -> tuple[SourceGroup, ...]:
    made = [
        (trace, m) for trace, m in seen if isinstance(m, VoiceMeasurement) and trace.source != HUMAN
    ]
    if tracer is None or len(made) < 2:
        return ()
    return _groups([trace for trace, _ in made], tracer.same_source([m for _, m in made]))


def _groups(traces: Sequence[Trace], log_odds: NDArray[np.float64]) -> tuple[SourceGroup, ...]:
    found = []
    for members in group(log_odds):
        pairs = [(i, j) for i in members for j in members if i < j]
        if pairs:
            mean = float(np.mean([log_odds[i, j] for i, j in pairs]))
            found.append(
                SourceGroup(
                    medium=traces[members[0]].medium,
                    paths=tuple(traces[i].path for i in members),
                    probability=round(probability(mean), 4),
                )
            )
    return tuple(found)
