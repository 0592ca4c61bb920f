"""Train one vocoder on human speech; every kept step is one more vocoder to forge with.

python -m recipes.forge.neural.train istft_256 [--until 2000]

Goes on from where it stopped. Writes into ``runs/forge_neural/<name>/``: ``step_<n>.safetensors``
(the vocoders), ``last.pt`` (all that resuming needs) and ``log.jsonl``.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from recipes.forge.neural.discriminators import Discriminators
from recipes.forge.neural.losses import (
    Judgement,
    SpectralLoss,
    deceiving_loss,
    discriminator_loss,
    feature_loss,
)
from recipes.forge.neural.networks import build_vocoder
from recipes.forge.neural.settings import CONFIGS, RUNS, Settings, read_settings
from recipes.forge.neural.speech import draw_crops, load_human_speech
from recipes.forge.neural.vocoders import save_vocoder

_FLOOR = 0.05  # of the learning rate, at the end of the half cosine
_LOG_EVERY = 100
_RESUME_EVERY = 500
_MOST_GRADIENT = 10.0


class VocoderTrainer:
    """Vocoder, its discriminators, their optimisers and chance."""

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.training.seed)
        t = self.settings = settings.training
        self.vocoder = build_vocoder(settings.network)
        self.judges = Discriminators()
        self.spectral = SpectralLoss(t.mel_weight, t.stft_weight)
        self.optimisers = (
            torch.optim.AdamW(self.vocoder.parameters(), t.learning_rate, (0.8, 0.99)),
            torch.optim.AdamW(self.judges.parameters(), t.judge_learning_rate, (0.8, 0.99)),
        )
        self.rng = np.random.default_rng(t.seed)
        self.step = 0

    def learn(self, original: Tensor) -> dict[str, float]:
        """One step on (B, S) crops; returns the losses by name."""
        t = self.settings
        self._set_learning_rates()
        self.vocoder.train()
        with torch.autocast("cpu", torch.bfloat16):
            copied, penalty = self.vocoder(original)
        spectral = self.spectral(copied.float(), original)
        loss, losses = spectral + penalty, {"spectral": float(spectral.detach())}
        if self.step >= t.warm_up_steps:
            losses["judges"] = self._learn_to_judge(original, copied.detach())
            deceive, feature = self._deceive(original, copied)
            loss = loss + t.deceive_weight * deceive + t.feature_weight * feature
            losses |= {"deceive": float(deceive.detach()), "feature": float(feature.detach())}
        self._descend(0, loss)
        self.step += 1
        return losses

    def _learn_to_judge(self, original: Tensor, copied: Tensor) -> float:
        with torch.autocast("cpu", torch.bfloat16):
            loss = discriminator_loss(self._judge(original), self._judge(copied))
        self._descend(1, loss)
        return float(loss.detach())

    def _deceive(self, original: Tensor, copied: Tensor) -> tuple[Tensor, Tensor]:
        self.judges.requires_grad_(False)
        with torch.autocast("cpu", torch.bfloat16):
            with torch.no_grad():
                real = self._judge(original)
            judged = self._judge(copied)
        self.judges.requires_grad_(True)
        return deceiving_loss(judged), feature_loss(real, judged)

    def _judge(self, waveform: Tensor) -> Judgement:
        """Half of the judges on half of each crop: four steps see it all, at a quarter the cost."""
        half = waveform.shape[1] // 2
        start = self.step // 2 % 2 * half
        judged: Judgement = self.judges(waveform[:, start : start + half], self.step)
        return judged

    def _descend(self, which: int, loss: Tensor) -> None:
        optimiser = self.optimisers[which]
        optimiser.zero_grad()
        torch.autograd.backward(loss)
        parameters = optimiser.param_groups[0]["params"]
        torch.nn.utils.clip_grad_norm_(parameters, _MOST_GRADIENT)
        optimiser.step()

    def _set_learning_rates(self) -> None:
        t = self.settings
        done = min(1.0, self.step / t.n_steps)
        factor = _FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * done))
        for optimiser, start in zip(
            self.optimisers, (t.learning_rate, t.judge_learning_rate), strict=True
        ):
            optimiser.param_groups[0]["lr"] = start * factor

    def state(self) -> dict[str, Any]:
        """Everything that must be the same for a resumed run to go on as if uninterrupted."""
        return {
            "vocoder": self.vocoder.state_dict(),
            "judges": self.judges.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
            "step": self.step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up `state` again."""
        self.vocoder.load_state_dict(state["vocoder"])
        self.judges.load_state_dict(state["judges"])
        for optimiser, kept in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(kept)
        self.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
        self.step = int(state["step"])


def train(settings: Settings, run: Path, until: int) -> None:
    """Train up to a number of steps, from ``last.pt`` on where there is one; see the module."""
    t, trainer, begun = settings.training, VocoderTrainer(settings), time.monotonic()
    run.mkdir(parents=True, exist_ok=True)
    if (run / "last.pt").is_file():
        trainer.restore(torch.load(run / "last.pt", weights_only=True))
    clips = load_human_speech(t.held_out_folds, RUNS / "speech").seen
    while trainer.step < min(until, t.n_steps):
        crops = draw_crops(clips, (t.batch_size, t.crop_samples), trainer.rng)
        losses = trainer.learn(torch.from_numpy(crops))
        if trainer.step % _LOG_EVERY == 0:
            _log(run, {"step": trainer.step, **losses, "seconds": time.monotonic() - begun})
        if trainer.step % t.save_every == 0 or trainer.step == t.n_steps:
            save_vocoder(
                trainer.vocoder, settings.network, run / f"step_{trainer.step}.safetensors"
            )
        if trainer.step % _RESUME_EVERY == 0:
            _save_state(trainer, run / "last.pt")
    _save_state(trainer, run / "last.pt")


def _save_state(trainer: VocoderTrainer, path: Path) -> None:
    partial = path.with_suffix(".part")
    torch.save(trainer.state(), partial)
    partial.replace(path)


def _log(run: Path, entry: dict[str, float]) -> None:
    line = json.dumps({key: round(value, 4) for key, value in entry.items()})
    with (run / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    print(run.name, line, flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="of a file in recipes/forge/neural/configs, without .toml")
    parser.add_argument("--until", type=int, help="stop at this step; the schedule stays")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(CONFIGS / f"{given.name}.toml")
    train(settings, RUNS / given.name, given.until or settings.training.n_steps)


if __name__ == "__main__":
    main()
