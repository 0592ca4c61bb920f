"""What is remembered of a clip that streamed by: rows, seconds, reasons; no media."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from avdetect.branches.base import BranchOutput
from avdetect.fusion.subjects import WindowRows
from avdetect.observation import Observation
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part


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
        kept = {branch: [_kept(output) for output in found] for branch, found in outputs.items()}
        self.windows.append(WindowRows(observation.segment, kept))
        for branch, found in kept.items():
            parts = self.outputs.setdefault(branch, {})
            for output in found:
                parts.setdefault(output.part, []).append(output)
        self._hear(observation)
        self._see(observation)
        self.end_s = observation.segment.end_s

    def copy(self) -> ClipRecord:
        """A record that can be added to without changing this one; rows are shared."""
        twin = ClipRecord(
            windows=list(self.windows),
            outputs={
                branch: {part: list(found) for part, found in parts.items()}
                for branch, parts in self.outputs.items()
            },
            n_face_frames=self.n_face_frames,
            faces_unfollowed=self.faces_unfollowed,
            end_s=self.end_s,
        )
        twin.speech_s.update(self.speech_s)
        twin.copied_s.update(self.copied_s)
        twin.bandwidths_hz.update({key: list(found) for key, found in self.bandwidths_hz.items()})
        twin.face_sizes_px.update({key: list(found) for key, found in self.face_sizes_px.items()})
        return twin

    def _hear(self, observation: Observation) -> None:
        for channel in observation.channels:
            self.speech_s[channel.channel] += observation.fresh_speech_s(channel)
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


def _kept(output: BranchOutput) -> BranchOutput:
    """An output without what only a report shows."""
    agreement = None if output.agreement is None else output.agreement.summed()
    return replace(output, agreement=agreement, maps=None)
