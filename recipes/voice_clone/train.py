"""Train the voice-clone network on human clips beside their twins, and on other people's fakes.

python -m recipes.voice_clone.train --config recipes/voice_clone/config.toml --run first
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from speechbrain.augment.freq_domain import SpectrogramDrop
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from avdetect.branches.voice_front_ends import (
    Inputs,
    build_voice_net,
    front_end,
    pin_speech_model,
    view_names,
)
from avdetect.nn.trained_state import load_trained_state, trained_state
from avdetect.nn.voice_net import VoiceNet
from avdetect.speech.features import N_MELS
from eval.protocol import read_protocol
from recipes.datasets.voices import VoiceStore
from recipes.voice_clone.batches import Batch, VoiceBatches
from recipes.voice_clone.development import Development, read_development
from recipes.voice_clone.loss import voice_loss
from recipes.voice_clone.rows import PROTOCOL, development_split, voice_rows
from recipes.voice_clone.settings import (
    CONFIG,
    FORGED,
    RUNS,
    STORE,
    Settings,
    TrainingSettings,
    read_settings,
)
from recipes.voice_clone.twins import forgers, kept_twins

_WARM_UP_STEPS = 50
_NORM_BATCHES = 8


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says."""

    run: Path
    shuffle_labels: bool = False
    resume: bool = False


class VoiceTrainer:
    """Network, running average, optimiser and chance: all that a resumed run needs."""

    def __init__(self, settings: Settings) -> None:
        torch.manual_seed(settings.training.seed)
        self.settings = settings
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = build_voice_net(settings.network).to(self.device)
        self.inputs = front_end(settings.network).inputs
        self.average = AveragedModel(
            self.net,
            multi_avg_fn=cast(Any, get_ema_multi_avg_fn)(settings.training.average),
            use_buffers=True,
        )
        self.optimiser = torch.optim.AdamW(
            parameter_groups(self.net, settings.training.speech_model_rate),
            lr=settings.training.learning_rate,
            weight_decay=settings.training.weight_decay,
        )
        # SpecAugment (Park et al. 2019) on the mel picture; a hole in time would look like a cut.
        self.drop = SpectrogramDrop(2, 10, 0, 2, "mean", dim=2)
        self.rng = np.random.default_rng(settings.training.seed)
        self.step = 0

    @property
    def averaged(self) -> VoiceNet:
        """The running average, the network that is kept."""
        net = self.average.module
        assert isinstance(net, VoiceNet)
        return net

    def learn(self, batch: Batch) -> float:
        """One step; returns the loss."""
        self.net.train()
        for group in self.optimiser.param_groups:
            group["lr"] = group["rate"] * learning_rate(self.step, self.settings.training)
        batch = batch.to(self.device)
        inputs = self._augmented(self.inputs(batch.waveforms, batch.speech))
        _, scores, frame_scores = self.net(inputs, batch.speech)
        loss = voice_loss(scores, frame_scores, batch, self.settings.training)
        self.optimiser.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self.optimiser.step()
        self.average.update_parameters(self.net)
        self.step += 1
        return float(loss.detach())

    def renew_norms(self, batches: Iterable[Batch]) -> None:
        """Measure the average's batch norms anew: averaged weights see features of their own."""
        net = self.averaged.eval()
        norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # a plain mean over batches
            norm.train()
        with torch.no_grad():
            for batch in batches:
                sent = batch.to(self.device)
                net(self.inputs(sent.waveforms, sent.speech), sent.speech)
        net.eval()

    def learn_from(self, batches: VoiceBatches, n_steps: int) -> float:
        """Steps on drawn batches, then norms measured on the last of them; the mean loss."""
        losses, drawn = [], deque[Batch](maxlen=_NORM_BATCHES)
        for _ in range(n_steps):
            drawn.append(batches.draw(self.rng))
            losses.append(self.learn(drawn[-1]))
        self.renew_norms(drawn)
        return float(np.mean(losses))

    def _augmented(self, inputs: Inputs) -> Inputs:
        names = view_names(self.settings.network)
        seen = (inputs,) if isinstance(inputs, Tensor) else inputs
        seen = tuple(
            self._drop(view) if name == "spectrogram" else view
            for name, view in zip(names, seen, strict=True)
        )
        return seen[0] if isinstance(inputs, Tensor) else seen

    def _drop(self, views: Tensor) -> Tensor:
        mel, cepstra = views[:, :N_MELS].transpose(1, 2), views[:, N_MELS:]
        return torch.cat([self.drop(mel.clone()).transpose(1, 2), cepstra], 1)

    def state(self) -> dict[str, Any]:
        """Everything that must be the same for a resumed run to go on as if uninterrupted."""
        return {
            "net": trained_state(self.net),
            "average": trained_state(self.average),
            "optimiser": self.optimiser.state_dict(),
            "rng": self.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state_all(),
            "step": self.step,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Take up `state` again."""
        load_trained_state(self.net, state["net"])
        load_trained_state(self.average, state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.rng.bit_generator.state = state["rng"]
        torch.set_rng_state(state["torch_rng"])
        torch.cuda.set_rng_state_all(state["cuda_rng"])
        self.step = int(state["step"])


def parameter_groups(net: VoiceNet, speech_model_rate: float) -> list[dict[str, Any]]:
    """What is trained: the network's own weights, and those of a speech model at smaller steps."""
    trained = {name: weight for name, weight in net.named_parameters() if weight.requires_grad}
    pretrained = {name for name in trained if ".speech_model." in name}
    groups: list[dict[str, Any]] = [
        {"params": [trained[n] for n in trained if n not in pretrained], "rate": 1.0},
        {"params": [trained[n] for n in trained if n in pretrained], "rate": speech_model_rate},
    ]
    return [group for group in groups if group["params"]]


def learning_rate(step: int, settings: TrainingSettings) -> float:
    """Linear warm-up, then a half cosine to zero."""
    warm = min(1.0, (step + 1) / _WARM_UP_STEPS)
    return settings.learning_rate * warm * 0.5 * (1 + math.cos(math.pi * step / settings.n_steps))


def training_batches(settings: Settings, *, shuffle_labels: bool = False) -> VoiceBatches:
    """Batches of all training folds but the development fold."""
    rows, _ = development_split(voice_rows(), read_protocol(PROTOCOL), settings.development_fold)
    families, _, _ = forgers(settings.forging)
    return VoiceBatches(
        rows,
        (VoiceStore(STORE), VoiceStore(FORGED)),
        kept_twins(families),
        settings.training,
        shuffle_labels=shuffle_labels,
    )


def train(settings: Settings, options: Options) -> Path:
    """Train to the end; writes ``best.pt``, ``last.pt`` and ``log.jsonl`` into the run's folder."""
    torch.set_num_threads(1)
    settings = replace(settings, network=pin_speech_model(settings.network))
    trainer, best = VoiceTrainer(settings), -1.0
    batches = training_batches(settings, shuffle_labels=options.shuffle_labels)
    development = read_development()
    options.run.mkdir(parents=True, exist_ok=True)
    if options.resume:
        state = torch.load(options.run / "last.pt", "cpu", weights_only=True)
        trainer.restore(state["trainer"])
        best = float(state["best"])
    while trainer.step < settings.training.n_steps:
        figures = _round(trainer, batches, development)
        if figures["auc"] > best:
            best = figures["auc"]
            _save(options.run / "best.pt", trained_state(trainer.averaged), settings)
        _log(options.run, {"step": trainer.step, **figures})
        torch.save({"trainer": trainer.state(), "best": best}, options.run / "last.pt")
    _save(options.run / "final.pt", trained_state(trainer.averaged), settings)
    return options.run


def _round(
    trainer: VoiceTrainer, batches: VoiceBatches, development: Development
) -> dict[str, float]:
    begun = time.monotonic()
    loss = trainer.learn_from(batches, trainer.settings.training.steps_per_round)
    figures = development.figures(trainer.averaged, trainer.inputs)
    return figures | {"loss": loss, "seconds": time.monotonic() - begun}


def _save(path: Path, state: dict[str, Tensor], settings: Settings) -> None:
    state = {name: tensor.cpu() for name, tensor in state.items()}
    torch.save({"state": state, "network": settings.network}, path)


def _log(run: Path, entry: dict[str, float]) -> None:
    line = json.dumps({key: round(value, 4) for key, value in entry.items()})
    with (run / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(line + "\n")
    print(line, flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--run", default="first", help="name of the folder below runs/voice_clone")
    parser.add_argument("--shuffle-labels", action="store_true", help="the control: stays at 0.5")
    parser.add_argument("--resume", action="store_true", help="go on from last.pt")
    parser.add_argument("--steps", type=int, help="instead of the config's n_steps")
    given = parser.parse_args()
    settings = read_settings(given.config)
    if given.steps is not None:
        settings = replace(settings, training=replace(settings.training, n_steps=given.steps))
    train(settings, Options(RUNS / given.run, given.shuffle_labels, given.resume))


if __name__ == "__main__":
    main()
