"""Train the speaker encoders that voices are shielded from, and those the shield is measured on.

python -m recipes.defence.train_speakers [--only NAME]
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from avdetect.defence.speaker_features import embed
from avdetect.nn.speaker_encoder import SpeakerEncoder
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.metrics import auc, eer
from recipes.defence.margin_training import MarginTraining, load_rounded, train_by_margin
from recipes.defence.settings import (
    CONFIG,
    RUNS,
    SpeakerSettings,
    VoiceTraining,
    read_settings,
)
from recipes.defence.voice_clips import VoiceClips, load_voices

_CODED_SHARE = 0.3  # of the stretches come through a codec
_NOISE = 0.03  # most, over the speech's level


def train(settings: SpeakerSettings, training: VoiceTraining, voices: VoiceClips) -> SpeakerEncoder:
    """Fit one encoder on the speakers of the training fold who have two clips or more."""
    torch.manual_seed(settings.seed)
    rng = np.random.default_rng(settings.seed)
    names, counts = np.unique(voices.speakers[~voices.held_out], return_counts=True)
    names = names[counts >= 2]
    pools = [np.flatnonzero(voices.speakers == name) for name in names]
    net = SpeakerEncoder(settings.network)

    def draw() -> tuple[Tensor, Tensor]:
        who = np.repeat(rng.choice(len(names), training.speakers_per_batch, replace=False), 2)
        batch = [_stretch(voices, int(rng.choice(pools[k])), training.stretch_s, rng) for k in who]
        return embed(net, torch.from_numpy(np.stack(batch))), torch.from_numpy(who)

    by_margin = MarginTraining(
        name=settings.name,
        n_people=len(names),
        width=settings.network.embedding,
        n_steps=training.n_steps,
        learning_rate=training.learning_rate,
        told_every=250,
    )
    train_by_margin(net, by_margin, draw)
    return net.eval()


def load_speaker(settings: SpeakerSettings) -> SpeakerEncoder:
    """A trained encoder of the runs folder, with weights rounded as they ship."""
    net = SpeakerEncoder(settings.network)
    load_rounded(net, weights_path(settings.name))
    return net


def weights_path(name: str) -> Path:
    """Where a trained encoder lies."""
    return RUNS / "speakers" / f"{name}.pt"


def embed_all(net: SpeakerEncoder, waveforms: list[NDArray[np.float32]]) -> NDArray[np.float64]:
    """(N, D) unit vectors of whole clips, one after the other."""
    with torch.no_grad():
        rows: list[Tensor] = [embed(net, torch.from_numpy(w)[None])[0] for w in waveforms]
    return torch.stack(rows).double().numpy()


def verification(net: SpeakerEncoder, voices: VoiceClips) -> dict[str, float]:
    """AUC and EER on speakers held out, over pairs of different recordings alone."""
    ids = np.flatnonzero(voices.held_out)
    vectors = embed_all(net, [voices.waveforms[i] for i in ids])
    first, second = np.triu_indices(len(ids), 1)
    apart = voices.recordings[ids][first] != voices.recordings[ids][second]
    same = (voices.speakers[ids][first] == voices.speakers[ids][second])[apart]
    values = (vectors @ vectors.T)[first, second][apart]
    return {
        "n_speakers": len(set(voices.speakers[ids])),
        "n_same": int(same.sum()),
        "auc": round(auc(~same, -values), 3),
        "eer": round(eer(~same, -values), 3),
    }


def _stretch(
    voices: VoiceClips, index: int, stretch_s: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    pool = voices.coded if rng.random() < _CODED_SHARE else voices.waveforms
    waveform = pool[index]
    n = round(stretch_s * SAMPLE_RATE_HZ)
    start = int(rng.integers(0, max(1, len(waveform) - n + 1)))
    cut = np.resize(waveform[start : start + n], n).astype(np.float32)
    level = float(np.sqrt(np.mean(cut**2)))
    noise = rng.standard_normal(n).astype(np.float32) * np.float32(level * rng.uniform(0, _NOISE))
    return cut + noise


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--only", help="name of one encoder")
    parser.add_argument("--print", action="store_true", help="measure what is trained")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(arguments.config)
    voices = load_voices()
    for one in (*settings.speaker_surrogates, *settings.speaker_unseen):
        if arguments.only not in (None, one.name):
            continue
        if not arguments.print:
            net = train(one, settings.voices, voices)
            path = weights_path(one.name)
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.save(net.state_dict(), path)
        print(one.name, verification(load_speaker(one), voices), flush=True)


if __name__ == "__main__":
    main()
