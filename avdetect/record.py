"""What is remembered of a clip that streamed by: rows, seconds, reasons; no media."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from avdetect.branches.base import BranchOutput
from avdetect.fusion.subjects import WindowRows
from avdetect.observation import Observation
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part, total_seconds


@dataclass(slots=True)
class ClipRecord:
    """Grows by a few kilobytes per second of media and part.

    Attributes:
        windows: every observation's branch outputs, in time order.
        outputs: branch -> part -> its outputs, in time order.
        speech_s: channel -> seconds of speech.
        bandwidths_hz: channel -> effective bandwidth per observation.
        face_sizes_px: track -> median face size per observation.
        n_face_frames: ticks of the 25 Hz clock with at least one followed face.
        copied_s: (copy, original) channel -> seconds for which they carried the same sound.
        faces_unfollowed: how often a face was left out because larger ones were followed.
        end_s: end of the last observation.
    """

    windows: list[WindowRows] = field(default_factory=list)
    outputs: dict[str, dict[Part, list[BranchOutput]]] = field(default_factory=dict)
    speech_s: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    bandwidths_hz: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    face_sizes_px: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))
    n_face_frames: int = 0
    copied_s: dict[tuple[str, str], float] = field(default_factory=lambda: defaultdict(float))
    faces_unfollowed: int = 0
    end_s: float = 0.0

    def add(self, observation: Observation, outputs: Mapping[str, Sequence[BranchOutput]]) -> None:
        """Take in one observation and what each branch said of it."""
        self.windows.append(WindowRows(observation.segment, dict(outputs)))
        for branch, found in outputs.items():
            parts = self.outputs.setdefault(branch, {})
            for output in found:
                parts.setdefault(output.part, []).append(output)
        self._hear(observation)
        self._see(observation)
        self.end_s = observation.segment.end_s

    def _hear(self, observation: Observation) -> None:
        for channel in observation.channels:
            spoken = [piece.overlap(observation.fresh) for piece in channel.speech]
            self.speech_s[channel.channel] += total_seconds(p for p in spoken if p is not None)
            if channel.bandwidth_hz is not None:
                self.bandwidths_hz[channel.channel].append(channel.bandwidth_hz)
        for pair in observation.copies:
            self.copied_s[pair] += observation.fresh.duration_s

    def _see(self, observation: Observation) -> None:
        first = observation.fresh.start_s * FRAME_RATE_HZ
        ticks = [face.frame_index[face.frame_index >= first - 1e-6] for face in observation.faces]
        if ticks:
            self.n_face_frames += len(np.unique(np.concatenate(ticks)))
        for face in observation.faces:
            self.face_sizes_px[face.track].append(face.size_px)
        self.faces_unfollowed = observation.faces_unfollowed
