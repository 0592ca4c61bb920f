"""A recording from file to shielded file: every channel, at its own rate, WAV or FLAC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.audio.stream import AudioStream
from numpy.typing import NDArray

from avdetect.channels.codecs import fit_length, resample
from avdetect.defence.fidelity import snr_db
from avdetect.defence.targets import write_whole
from avdetect.defence.voice_shield import (
    LEAST_SPEECH_S,
    Encoder,
    Progress,
    find_voice_change,
)
from avdetect.errors import InputError, InputLimitError
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.timebase import SAMPLE_RATE_HZ

MAX_RECORDING_S = 600.0
_TIGHTEN = 0.97
_LEAST_SHARE = 0.05
_FULL_SCALE = 32767.0

Samples = NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShieldedRecording:
    """A shielded recording.

    Attributes:
        samples: (C, S) float32 in [-1, 1], as written.
        rate_hz: of them.
        snr_db: over the whole recording, as written.
        shielded_s: seconds of sound that were changed, over all channels.
        n_clipped: samples that reached full scale and did not before.
    """

    samples: Samples
    rate_hz: int
    snr_db: float
    shielded_s: float
    n_clipped: int


def shield_recording(
    path: Path,
    target: Path,
    encoders: Sequence[Encoder],
    *,
    least_snr_db: float,
    progress: Progress | None = None,
) -> ShieldedRecording:
    """Shield every channel of a recording and write it with 16 bits.

    Args:
        path: any sound file.
        target: ``.wav`` or ``.flac``; checked before by `check_target`.
        encoders: what to shield from.
        least_snr_db: the recording as written does not fall below it.
        progress: called with seconds done and seconds in all.

    Raises:
        InputError: silent, too short, or too quiet for 16 bits at this bound.
        InputLimitError: longer than ten minutes.
        OutputError: it cannot be written.
    """
    native, rate_hz, waveform = read_recording(path)
    changes, shielded_s = [], 0.0
    total_s = len(waveform) * waveform.shape[1] / SAMPLE_RATE_HZ
    for number, channel in enumerate(waveform):
        before_s = number * waveform.shape[1] / SAMPLE_RATE_HZ

        def tell(done_s: float, _all_s: float | None, before_s: float = before_s) -> None:
            if progress is not None:
                progress(before_s + done_s, total_s)

        found = find_voice_change(
            channel, encoders, least_snr_db=least_snr_db, seed=number, progress=tell
        )
        shielded_s += found.speech_s
        at_rate = resample(found.change, SAMPLE_RATE_HZ, rate_hz)
        changes.append(fit_length(at_rate, native.shape[1]))
    if not shielded_s:
        raise InputError(
            f"{path}: no {LEAST_SPEECH_S:g} s of sound loud enough to shield; nothing was written"
        )
    written = _composed(path, native, np.stack(changes), least_snr_db)
    write_whole(target, lambda part: _write_sound(part, written, rate_hz, target.suffix.lower()))
    return ShieldedRecording(
        samples=written,
        rate_hz=rate_hz,
        snr_db=snr_db(native, written),
        shielded_s=shielded_s,
        n_clipped=int(((np.abs(written) >= 1.0) & (np.abs(native) < 1.0)).sum()),
    )


def read_recording(path: Path) -> tuple[Samples, int, Samples]:
    """(C, S) at the file's rate, that rate, and (C, S') at 16 kHz.

    Raises:
        InputError: as `avdetect.media.clip.open_clip`, or without sound.
        InputLimitError: longer than `MAX_RECORDING_S`.
    """
    chunks: list[AudioChunk] = []
    with open_clip(path) as clip:
        if not clip.has_audio:
            raise InputError(f"{clip.path}: has no sound to shield")
        for chunk in clip.chunks(want_video=False):
            if isinstance(chunk, AudioChunk):
                if chunk.start_s > MAX_RECORDING_S:
                    raise InputLimitError(
                        f"{clip.path}: longer than {MAX_RECORDING_S / 60:.0f} minutes; cut it first"
                    )
                chunks.append(chunk)
    native = np.concatenate([chunk.native for chunk in chunks], axis=1)
    waveform = np.concatenate([chunk.waveform for chunk in chunks], axis=1)
    return np.clip(native, -1.0, 1.0), chunks[0].native_rate_hz, waveform


def _composed(
    path: Path, native: Samples, change: NDArray[np.float32], least_snr_db: float
) -> Samples:
    """Whole steps of 16 bits, clipped, and weakened until the bound holds on what is written."""
    share = 1.0
    while share > _LEAST_SHARE:
        steps = np.rint(np.clip(native + share * change, -1.0, 1.0) * _FULL_SCALE)
        written = np.asarray(steps / _FULL_SCALE, np.float32)
        if snr_db(native, written) >= least_snr_db:
            return written
        share *= _TIGHTEN
    raise InputError(
        f"{path}: too quiet to be written with 16 bits at {least_snr_db:g} dB; "
        "make it louder or ask for a lower --snr"
    )


def _write_sound(path: Path, samples: Samples, rate_hz: int, suffix: str) -> None:
    codec, container = ("flac", "flac") if suffix == ".flac" else ("pcm_s16le", "wav")
    n_channels = len(samples)
    layout = {1: "mono", 2: "stereo"}.get(n_channels, f"{n_channels}C")
    steps = np.rint(samples * _FULL_SCALE).astype(np.int16)
    with av.open(str(path), "w", format=container) as output:
        stream = cast(AudioStream, output.add_stream(codec, rate=rate_hz, layout=layout))
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(steps.T).reshape(1, -1), format="s16", layout=layout
        )
        frame.sample_rate, frame.pts = rate_hz, 0
        shape = av.AudioResampler(
            format="s16",
            layout=layout,
            rate=rate_hz,
            frame_size=stream.codec_context.frame_size or 4096,
        )
        for part in [*shape.resample(frame), *shape.resample(None)]:
            output.mux(stream.encode(part))
        output.mux(stream.encode(None))
