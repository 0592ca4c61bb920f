"""Faces drawn anew by a small auto-encoder: what a talking-portrait network does to every pixel.

Decoders may differ in how they enlarge (nearest and convolution, transposed convolution), because
the enlarging step leaves its own grid (Odena et al. 2016; Zhang et al. 2019, AutoGAN). They are
trained by this module on the training fold alone and their pictures are cached:

    python -m recipes.forge.resynthesis --seconds 200
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from numpy.lib.format import open_memmap
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.errors import UsageError
from recipes.datasets.face_folds import fold
from recipes.datasets.faces import CACHE, PICTURE_PX, load_faces

DECODERS = ("nearest", "transposed")
GROUPS = ("photographs", "sync", "development")
_BATCH = 8
_WIDTH = 24


def load_redrawn(group: str, decoder: str) -> NDArray[np.uint8]:
    """(N, 256, 256, 3) uint8 pictures of a group as a decoder draws them; see the module.

    Raises:
        UsageError: they are not drawn yet.
    """
    path = _cache(group, decoder)
    if not path.is_file():
        raise UsageError(f"{path}: not drawn yet; run python -m recipes.forge.resynthesis")
    pictures: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return pictures


class AutoEncoder(nn.Module):
    """Six channels at a quarter of the side; (B, 3, 256, 256) in [0, 1] to the same."""

    def __init__(self, decoder: str) -> None:
        super().__init__()
        w = _WIDTH
        self.encode = nn.Sequential(
            nn.Conv2d(3, w, 4, 2, 1),
            nn.GELU(),
            nn.Conv2d(w, 2 * w, 4, 2, 1),
            nn.GELU(),
            nn.Conv2d(2 * w, 6, 3, 1, 1),
        )
        self.decode = nn.Sequential(
            nn.Conv2d(6, 2 * w, 3, 1, 1),
            nn.GELU(),
            _enlarge(2 * w, w, decoder),
            nn.GELU(),
            _enlarge(w, w // 2, decoder),
            nn.GELU(),
            nn.Conv2d(w // 2, 3, 3, 1, 1),
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Draw the picture anew."""
        drawn: Tensor = self.decode(self.encode((picture - 0.5) * 4.0))
        return drawn * 0.25 + 0.5


def _enlarge(width_in: int, width_out: int, decoder: str) -> nn.Module:
    if decoder == "transposed":
        return nn.ConvTranspose2d(width_in, width_out, 4, 2, 1)
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(width_in, width_out, 3, 1, 1))


def train(decoder: str, seconds: float, seed: int = 0) -> AutoEncoder:
    """Fit one auto-encoder on the training fold for a number of seconds."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    groups = [load_faces(group) for group in GROUPS]
    pools = [(faces.pictures, fold(faces, held_out=False)) for faces in groups]
    net = AutoEncoder(decoder)
    optimiser = torch.optim.Adam(net.parameters(), 2e-3)
    start, n_steps, loss = time.monotonic(), 0, torch.zeros(())
    while (spent := (time.monotonic() - start) / seconds) < 1.0:
        for group in optimiser.param_groups:
            group["lr"] = 2e-3 * (1.0 - spent) + 1e-5
        chosen = [pools[i] for i in rng.integers(len(pools), size=_BATCH)]
        batch = _to_tensor(np.stack([pictures[rng.choice(ids)] for pictures, ids in chosen]))
        with torch.autocast("cpu", torch.bfloat16):
            drawn = net(batch).float()
        loss = (drawn - batch).abs().mean() + 2.0 * (edges(drawn) - edges(batch)).abs().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        n_steps += 1
    print(f"{decoder}: {n_steps} steps, loss {loss.item():.4f}", flush=True)
    net.eval()
    return net


def redraw(net: AutoEncoder, group: str, decoder: str) -> None:
    """Draw every picture of a group anew and cache the result."""
    pictures = load_faces(group).pictures
    drawn = open_memmap(_cache(group, decoder), "w+", np.uint8, pictures.shape)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for start in range(0, len(pictures), _BATCH):
            batch = net(_to_tensor(np.array(pictures[start : start + _BATCH]))).float()
            drawn[start : start + _BATCH] = (
                (batch.clamp(0, 1) * 255).round().byte().permute(0, 2, 3, 1).numpy()
            )


def edges(picture: Tensor) -> Tensor:
    """What a box of three pixels smooths away."""
    return picture - F.avg_pool2d(picture, 3, 1, 1)


def _to_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    tensor = torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255.0
    return tensor.contiguous(memory_format=torch.channels_last)


def _cache(group: str, decoder: str) -> Path:
    return CACHE / f"{group}-redrawn-{decoder}.npy"


def main() -> None:
    """Train every decoder and redraw every group."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=240.0, help="training time a decoder")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    for decoder in DECODERS:
        net = train(decoder, arguments.seconds)
        for group in GROUPS:
            redraw(net, group, decoder)
            print(f"{decoder}: {group} redrawn at {PICTURE_PX} px", flush=True)


if __name__ == "__main__":
    main()
