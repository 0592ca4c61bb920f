"""Mouth and speech in one space: a small two-stream network after SyncNet.

Chung & Zisserman, "Out of time: automated lip sync in the wild" (2016), with three changes that
little training material asks for: the mouth is seen as motion (each pixel against its mean over
the window) beside its look, the mesh points of the lips enter beside the pixels, and training is
contrastive within a clip (see ``recipes/lip_sync``).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torchaudio.transforms import MelSpectrogram

from avdetect.nn.offset_curve import MAX_OFFSET_FRAMES
from avdetect.nn.shapes import check_shape
from avdetect.timebase import SAMPLE_RATE_HZ, exact_ratio

WINDOW_FRAMES = 30  # 1.2 s: the shortest stretch whose offset is found reliably
SPEECH_FRAMES = WINDOW_FRAMES + 2 * MAX_OFFSET_FRAMES
MEL_PER_FRAME = 4  # 10 ms mel frames on the 25 Hz clock
N_MELS = 40
NET_CROP_PX = 48
N_LIP_POINTS = 40  # see `avdetect.faces.lips`


def shrink_mouths(mouths: Tensor, crop_px: int = NET_CROP_PX) -> Tensor:
    """Mouth crops as a network reads them: (..., 96, 96) uint8 to (..., P, P) in [0, 1]."""
    return shrunk(mouths.float() / 255.0, crop_px)


def shrunk(mouths: Tensor, crop_px: int) -> Tensor:
    """Means over squares: (..., Q, Q) float32 to (..., P, P), Q a multiple of P."""
    side_px = mouths.shape[-1]
    flat = mouths.reshape(-1, 1, side_px, side_px)
    small = F.avg_pool2d(flat, exact_ratio(side_px, crop_px))
    return small.reshape(*mouths.shape[:-2], crop_px, crop_px)


class SpeechMel(nn.Module):
    """Natural-log mel spectrogram, 10 ms per frame, as the speech stream reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.spectrum = MelSpectrogram(
            SAMPLE_RATE_HZ, n_fft=512, win_length=400, hop_length=160, n_mels=N_MELS, f_min=60.0
        )

    def forward(self, sound: Tensor) -> Tensor:
        """(B, 160 M) float32 at 16 kHz to (B, 40, M)."""
        power: Tensor = self.spectrum(sound)
        return (power[:, :, : sound.shape[1] // 160] + 1e-6).log()


class MouthEncoder(nn.Module):
    """Mouth pictures and lip points to unit vectors, one per frame, each from five frames."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv2d(3, width, kernel=5),
            _conv2d(width, 2 * width),
            _conv2d(2 * width, 4 * width),
            _conv2d(4 * width, 6 * width),
        )
        self.lips = nn.Sequential(
            _conv1d(4 * N_LIP_POINTS, 3 * width, kernel=3),
            _conv1d(3 * width, 3 * width, kernel=1),
        )
        self.join = nn.Sequential(
            _conv1d(9 * 6 * width + 3 * width, embedding, kernel=1),
            nn.Dropout(0.2),
            nn.Conv1d(embedding, embedding, 3, padding=1),
        )

    def forward(self, mouths: Tensor, lips: Tensor) -> Tensor:
        """(B, T, 48, 48) in [0, 1] and (B, T, 40, 2) to (B, T, E)."""
        batch, frames = mouths.shape[:2]
        spread = mouths.std((1, 2, 3), keepdim=True).clamp_min(0.02)
        look = (mouths - mouths.mean((1, 2, 3), keepdim=True)) / spread
        still = (mouths - mouths.mean(1, keepdim=True)) / spread * 2.0
        step = F.pad(mouths[:, 2:] - mouths[:, :-2], (0, 0, 0, 0, 1, 1)) / spread * 2.0
        maps = self.body(torch.stack([look, still, step], 2).flatten(0, 1))  # (B * T, 6C, 3, 3)
        seen = maps.flatten(1).reshape(batch, frames, -1).transpose(1, 2)
        shape = lips.flatten(2)
        moved = (shape - shape.mean(1, keepdim=True)) * 8.0
        traced = self.lips(torch.cat([shape, moved], 2).transpose(1, 2))
        return F.normalize(self.join(torch.cat([seen, traced], 1)).transpose(1, 2), dim=2)


class SpeechEncoder(nn.Module):
    """Log-mel speech to unit vectors, one per video frame, each from about 0.2 s."""

    def __init__(self, width: int, embedding: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv2d(1, width, kernel=5),
            _conv2d(width, 2 * width),
            _conv2d(2 * width, 4 * width, stride=(2, 1)),
        )
        self.join = nn.Sequential(
            _conv1d(4 * width * (N_MELS // 8), embedding, kernel=1),
            nn.Dropout(0.2),
            nn.Conv1d(embedding, embedding, 1),
        )

    def forward(self, mel: Tensor) -> Tensor:
        """(B, 40, 4 T) log-mel to (B, T, E)."""
        maps = self.body(mel[:, None])  # (B, 4C, 5, T)
        return F.normalize(self.join(maps.flatten(1, 2)).transpose(1, 2), dim=2)


class SyncNet(nn.Module, ABC):
    """Two streams of unit vectors over one window of 1.2 s of mouth and 2.4 s of sound around it.

    Called with mouths (B, 30, P, P) in [0, 1], lips (B, 30, 40, 2), sound as `sound_features` makes
    it and heard (B, 60), it gives mouths (B, 30, E) and speech (B, 60, E).

    Attributes:
        crop_px: P, the side of the mouth crops.
        embedding: E.
    """

    crop_px: int
    embedding: int

    @abstractmethod
    def sound_features(self) -> nn.Module:
        """What makes of (B, 38400) float32 sound at 16 kHz the tensor that the network hears."""


class SyncEncoder(SyncNet):
    """The small network of this project."""

    crop_px = NET_CROP_PX

    def __init__(
        self, *, mouth_width: int = 16, speech_width: int = 16, embedding: int = 96
    ) -> None:
        super().__init__()
        self.embedding = embedding
        self.mouth = MouthEncoder(mouth_width, embedding)
        self.speech = SpeechEncoder(speech_width, embedding)

    def sound_features(self) -> nn.Module:
        """(B, 38400) sound to (B, 40, 240) log-mel, see `SpeechMel`."""
        return SpeechMel()

    def forward(
        self, mouths: Tensor, lips: Tensor, mel: Tensor, heard: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Embed a batch of windows.

        Args:
            mouths: (B, 30, 48, 48) float32 in [0, 1], see `shrink_mouths`.
            lips: (B, 30, 40, 2) float32, see `avdetect.faces.lips.lip_points`.
            mel: (B, 40, 240) float32 natural-log mel, 0.6 s before to 0.6 s after the mouths.
            heard: (B, 60) 1 where a frame of sound exists, 0 beyond the recording's edge.

        Returns:
            Unit vectors (B, 30, E) of mouths and (B, 60, E) of speech.

        Raises:
            ShapeError: if a tensor is of another shape.
        """
        check_shape(mouths, f"B {WINDOW_FRAMES} {NET_CROP_PX} {NET_CROP_PX}", "mouths")
        check_shape(lips, f"B {WINDOW_FRAMES} {N_LIP_POINTS} 2", "lips")
        check_shape(mel, f"B {N_MELS} {SPEECH_FRAMES * MEL_PER_FRAME}", "mel")
        check_shape(heard, f"B {SPEECH_FRAMES}", "heard")
        return self.mouth(mouths, lips), self.speech(level_mel(mel, heard))


def level_mel(mel: Tensor, heard: Tensor) -> Tensor:
    """Take the recording channel out: each band loses its mean over the heard frames.

    Silence between words is floored 8 nats below the loudest frame, so that the noise floor of
    the recording does not show.
    """
    weight = heard.float().repeat_interleave(MEL_PER_FRAME, 1)[:, None]  # (B, 1, 240)
    loudest = mel.masked_fill(weight == 0, -1e4).amax((1, 2), keepdim=True)
    floored = torch.maximum(mel, loudest - 8.0)
    mean = (floored * weight).sum(2, keepdim=True) / weight.sum(2, keepdim=True).clamp_min(1.0)
    return (floored - mean) * weight / 2.0


def _conv2d(
    inside: int, outside: int, *, kernel: int = 3, stride: tuple[int, int] = (2, 2)
) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outside),
        nn.ReLU(),
    )


def _conv1d(inside: int, outside: int, *, kernel: int = 5) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv1d(inside, outside, kernel, padding=kernel // 2, bias=False),
        nn.BatchNorm1d(outside),
        nn.ReLU(),
    )
