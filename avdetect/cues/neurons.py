"""Neuron monitoring: forged faces wake other shares of a face network's neurons than real ones do.

Wang et al., "FakeSpotter: A Simple yet Robust Baseline for Spotting AI-Synthesized Fake Faces"
(2020), on our own face network; how neurons are counted is told in `avdetect.nn.neuron_counts`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.branches.visual_forgery import unusable
from avdetect.cues.base import (
    ClipFacts,
    Cue,
    CueCurve,
    CueFigure,
    CueTools,
    Measurement,
    Medium,
    Outputs,
    Truth,
)
from avdetect.cues.face_rows import longest
from avdetect.cues.face_series import new_rows
from avdetect.nn.neuron_counts import STAGES, CountedNet, NeuronCounter
from avdetect.observation import FaceWindow, Observation
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part, Segment

_MOST_PICTURES = 8  # of one face: at 0, 1, 2, 4, … 64 s after it appeared

Array = NDArray[np.float64]


@dataclass(slots=True)
class _Face:
    first_s: float
    last_s: float
    counts: list[Array] = field(default_factory=list)  # (L, 2) each

    def due_s(self, n: int) -> float:
        """When picture number ``n`` of it is due."""
        return self.first_s + (2.0 ** (n - 1) if n else 0.0)


class _Neurons:
    def __init__(self, clip: ClipFacts, tools: CueTools) -> None:
        self._medium = clip.medium
        self._tools = tools
        self._counter: NeuronCounter | None = None
        self._stages: NDArray[np.int64] = np.zeros(0, np.int64)
        self._faces: dict[int, _Face] = {}
        self._unusable: dict[int, str] = {}

    def add(self, observation: Observation, outputs: Outputs) -> None:
        """Count the neurons of the pictures that are due."""
        for face in observation.faces:
            rows = self._rows(face, observation)
            if len(rows) == 0:
                continue
            reason = unusable(face) or _no_network(self._tools)
            if reason is not None:
                self._unusable[face.track] = reason
            else:
                self._count(face, rows)
        kept = longest({track: len(face.counts) for track, face in self._faces.items()})
        self._faces = {track: self._faces[track] for track in kept}
        self._unusable = dict(list(self._unusable.items())[-len(STAGES) * 4 :])

    def measurements(self) -> list[Measurement]:
        """Shares of active neurons and of busy channels in each stage, mean over the pictures."""
        judged = [self._measured(track, face) for track, face in sorted(self._faces.items())]
        return judged + [
            Measurement(medium=self._medium, part=Part(face_track=track), missing=reason)
            for track, reason in sorted(self._unusable.items())
            if track not in self._faces
        ]

    def figures(self) -> list[CueFigure]:
        """Share of active neurons, layer by layer, of each face."""
        return [
            CueCurve(
                part=Part(face_track=track),
                x=np.arange(1.0, len(self._stages) + 1),
                y=np.mean(face.counts, axis=0)[:, 0],
                x_name="layer of the face network",
                y_name="share of active neurons",
                caption="Active: above the layer's mean over the faces it was trained on.",
            )
            for track, face in sorted(self._faces.items())[:4]
        ]

    def _rows(self, face: FaceWindow, observation: Observation) -> NDArray[np.int64]:
        if observation.is_still:
            return np.zeros(1, np.int64)
        return new_rows(face, observation)

    def _count(self, face: FaceWindow, rows: NDArray[np.int64]) -> None:
        times_s = face.frame_index[rows] / FRAME_RATE_HZ
        known = self._faces.setdefault(face.track, _Face(float(times_s[0]), float(times_s[0])))
        due: list[int] = []
        for row, time_s in zip(rows.tolist(), times_s.tolist(), strict=True):
            n = len(known.counts) + len(due)
            if n < _MOST_PICTURES and time_s >= known.due_s(n) - 1e-6:
                due.append(row)
                known.last_s = time_s
        if due:
            known.counts.extend(self._counts(face.faces[due]))

    def _counts(self, crops: NDArray[np.uint8]) -> list[Array]:
        """Of each picture, (L, 2) shares of active neurons and of busy channels by layer."""
        if self._counter is None:
            net = self._tools.face_network
            if not isinstance(net, CountedNet):  # `_no_network` has seen to it
                raise TypeError("counts neurons of networks of ours alone")
            self._counter = NeuronCounter(net, self._tools.device)
        counts = self._counter.count(torch.from_numpy(crops))
        self._stages = np.array(counts.stages)
        return list(torch.stack([counts.active, counts.busy], 2).double().numpy())

    def _measured(self, track: int, face: _Face) -> Measurement:
        mean = np.mean(face.counts, axis=0)
        stages = [mean[self._stages == stage].mean(0) for stage in STAGES]
        segment = None if self._medium is Medium.STILL else Segment(face.first_s, face.last_s)
        n = len(face.counts)
        return Measurement(
            medium=self._medium,
            part=Part(face_track=track),
            segment=segment,
            features=(*(float(s[0]) for s in stages), *(float(s[1]) for s in stages)),
            value=100.0 * float(mean[:, 0].mean()),
            text=(
                f"{100 * mean[:, 0].mean():.1f} % of the face network's neurons are active, "
                f"mean of {n} picture{'s' if n > 1 else ''}"
            ),
        )


def _no_network(tools: CueTools) -> str | None:
    if tools.face_network is None:
        return "no face network is loaded whose neurons could be counted"
    if not isinstance(tools.face_network, CountedNet):
        return "the loaded face network is a pretrained vision model, whose neurons are not counted"
    return None


def _start(clip: ClipFacts, tools: CueTools) -> _Neurons:
    return _Neurons(clip, tools)


CUE = Cue(
    name="neurons",
    title="Neuron activation",
    measures="Shares of active neurons in each stage of our face network, against training faces.",
    reference="Wang et al. 2020, FakeSpotter",
    unit="%",
    features=(
        *(f"active_share_stride{stage}" for stage in STAGES),
        *(f"busy_channels_stride{stage}" for stage in STAGES),
    ),
    truth=Truth.VIDEO,
    media=(Medium.VIDEO, Medium.STILL),
    start=_start,
)
