"""Train the temporal head on forged tracks, and compare it with frames alone.

python -m recipes.visual_forgery.track_data
python -m recipes.visual_forgery.temporal --run tracks
python -m recipes.visual_forgery.temporal --run tracks-shuffled --shuffle-labels
python -m recipes.visual_forgery.temporal --run tracks-still --still

The frame network is frozen; the head learns what to add to the mean of its scores. With
``--export NAME`` both become one checkpoint, whose calibration is to be fitted anew.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avdetect.checkpoint import load_checkpoint
from avdetect.nn.temporal_head import Stretch, TemporalConfig, TemporalHead
from recipes.calibrate import PROVISIONAL
from recipes.export import export_checkpoint
from recipes.visual_forgery.settings import RUNS
from recipes.visual_forgery.temporal_figures import compare
from recipes.visual_forgery.track_data import MODEL, SETS, Tracks, load_tracks, stilled


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalTraining:
    """The ``[training]`` table; see the comments of ``temporal.toml``."""

    seed: int
    n_steps: int
    pairs_per_batch: int
    learning_rate: float
    weight_decay: float
    rank_weight: float
    thin_share: float
    save_every: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TemporalSettings:
    """The whole file."""

    head: TemporalConfig
    training: TemporalTraining


def read_temporal_settings(path: Path) -> TemporalSettings:
    """Read a config file; raises ``TypeError`` on a key that is not known or missing."""
    table = tomllib.loads(path.read_text("utf-8"))
    head, training = TemporalConfig(**table.pop("head")), TemporalTraining(**table.pop("training"))
    return TemporalSettings(head=head, training=training, **table)


class HeadTraining:
    """A head, its optimiser and its place in the draws; saved whole, resumed whole.

    Args:
        tracks: twins side by side.
        settings: see ``temporal.toml``.
        shuffle_labels: call one twin of each pair fake by chance, once for all.
    """

    def __init__(
        self, tracks: Tracks, settings: TemporalSettings, *, shuffle_labels: bool = False
    ) -> None:
        torch.manual_seed(settings.training.seed)
        self.settings, self.step = settings.training, 0
        stretch = tracks.stretch
        self.head = TemporalHead(stretch.tokens.shape[-1], stretch.motion.shape[-1], settings.head)
        self.head.standardise(stretch)
        self._tracks, self._frame_scores = tracks, tracks.frame_scores()
        pairs = torch.from_numpy(tracks.labels).float().view(-1, 2)
        if shuffle_labels:
            swapped = torch.rand(len(pairs)) < 0.5
            pairs = torch.where(swapped[:, None], pairs.flip(1), pairs)
        self._labels = pairs.flatten()
        self._optimiser = torch.optim.AdamW(
            self.head.parameters(),
            self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )

    def advance(self) -> float:
        """One step on pairs by chance; returns its loss."""
        # Drawn from the step's own seed: a resumed training goes on as if never stopped.
        torch.manual_seed(self.settings.seed * 100_003 + self.step)
        pairs = torch.randint(len(self._labels) // 2, (self.settings.pairs_per_batch,))
        rows = torch.stack([2 * pairs, 2 * pairs + 1], 1).flatten()
        stretch = thinned(
            Stretch(*(part[rows] for part in self._tracks.stretch)), self.settings.thin_share
        )
        for group in self._optimiser.param_groups:
            left = 1.0 - self.step / self.settings.n_steps
            group["lr"] = self.settings.learning_rate * min(1.0, (self.step + 1) / 50) * left
        self.head.train()
        score = self._frame_scores[rows] + self.head(stretch)
        loss = self._loss(score, self._labels[rows])
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.head.parameters(), 1.0)
        self._optimiser.step()
        self.step += 1
        return loss.item()

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        state = {
            "step": self.step,
            "head": self.head.state_dict(),
            "optimiser": self._optimiser.state_dict(),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        """Go on from a file of `save`."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.step = int(state["step"])
        self.head.load_state_dict(state["head"])
        self._optimiser.load_state_dict(state["optimiser"])

    def _loss(self, score: Tensor, labels: Tensor) -> Tensor:
        first, second = score.view(-1, 2).unbind(1)
        order = F.softplus((first - second) * (labels.view(-1, 2)[:, 1] * 2 - 1)).mean()
        right = F.binary_cross_entropy_with_logits(score, labels)
        return right + self.settings.rank_weight * order


def thinned(stretch: Stretch, share: float) -> Stretch:
    """Take frames away from twins alike: every second or third place only, or some by chance."""
    n, length = stretch.present.shape
    step = torch.randint(1, 4, (n // 2, 1))
    slow = torch.arange(length) % step == 0
    broken = torch.rand(n // 2, length) < 0.8
    kept = torch.where(torch.rand(n // 2, 1) < 0.5, slow, broken)
    kept = kept | (torch.rand(n // 2, 1) >= share)
    return stretch._replace(present=stretch.present & kept.repeat_interleave(2, 0))


def run(training: HeadTraining, folder: Path, *, resume: bool) -> None:
    """Train to the last step, saving as it goes to ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    if resume:
        training.load(folder / "training.pt")
    losses = []
    while training.step < training.settings.n_steps:
        losses.append(training.advance())
        done = training.step == training.settings.n_steps
        if done or training.step % training.settings.save_every == 0:
            training.save(folder / "training.pt")
            print({"step": training.step, "loss": sum(losses) / len(losses)}, flush=True)
            losses = []


def export_with_head(
    name: str, model: str, head: TemporalHead, config: TemporalConfig, figures: Mapping[str, Any]
) -> Path:
    """Write ``models/<name>``: a frame network's checkpoint with a head beside it."""
    frames = load_checkpoint(model)
    state = {f"temporal.{key}": tensor for key, tensor in head.state_dict().items()}
    return export_checkpoint(
        name,
        role="visual_forgery",
        summary=f"{model} with a temporal head for jitter, drift and flicker.",
        state={**frames.state, **state},
        config={**frames.card.config, "temporal": asdict(config)},
        facts={
            "training": {"frame_network": model, "head": "recipes/visual_forgery/temporal.py"},
            "figures": {
                "sets": [f"{key}: {json.dumps(figure)}" for key, figure in figures.items()]
            },
        },
        calibration=PROVISIONAL,
    )


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("temporal.toml"))
    parser.add_argument("--run", default="tracks", help="name of the folder under runs/")
    parser.add_argument("--model", default=MODEL, help="checkpoint whose tokens are read")
    parser.add_argument("--shuffle-labels", action="store_true", help="control: learns nothing")
    parser.add_argument("--still", action="store_true", help="control: nothing moves")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--export", help="name of the folder under models/")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_temporal_settings(arguments.config)
    sets = {name: load_tracks(name, arguments.model) for name in SETS}
    if arguments.still:
        sets = {name: stilled(tracks) for name, tracks in sets.items()}
    training = HeadTraining(sets["train"], settings, shuffle_labels=arguments.shuffle_labels)
    run(training, RUNS / arguments.run, resume=arguments.resume)
    figures = {name: compare(training.head, tracks) for name, tracks in sets.items()}
    (RUNS / arguments.run / "figures.json").write_text(json.dumps(figures, indent=1), "utf-8")
    print(json.dumps(figures, indent=1))
    if arguments.export:
        model, head = arguments.model, training.head
        print(export_with_head(arguments.export, model, head, settings.head, figures))


if __name__ == "__main__":
    main()
