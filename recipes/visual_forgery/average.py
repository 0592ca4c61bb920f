"""The mean of two runs' weights.

python -m recipes.visual_forgery.average --runs longer context --run mean

Weights that were trained on from one another can be averaged (Wortsman et al. 2022, WiSE-FT); batch
statistics are measured anew on training twins. What it was worth here stands in README.md.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader

from avdetect.nn.face_network import FaceNetwork, build_face_network, pin_backbone
from avdetect.nn.trained_state import load_trained_state, trained_state
from recipes.forge.twins import TwinSource
from recipes.visual_forgery.settings import RUNS, read_settings
from recipes.visual_forgery.train import TwinStream, steps_of

_BATCHES = 60
_SEED = 77  # of twins that no run was trained on


def average(net: FaceNetwork, states: Iterable[Mapping[str, Tensor]]) -> None:
    """Give a network, as it was built, the mean of states; a part that one lacks is as built.

    Raises:
        RuntimeError: a state holds what the network has not.
    """
    built = {name: tensor.clone() for name, tensor in trained_state(net).items()}
    whole = [{**built, **state} for state in states]
    mean = {
        name: torch.stack([state[name] for state in whole]).mean(0)
        if tensor.is_floating_point()
        else tensor
        for name, tensor in built.items()
    }
    load_trained_state(net, {**{k: v for state in whole for k, v in state.items()}, **mean})


def measure_norms(net: FaceNetwork, batches: Iterable[Tensor]) -> None:
    """Set the statistics of batch norms by batches of (N, 3, 224, 224) faces in [0, 1]."""
    norms = [module for module in net.modules() if isinstance(module, nn.BatchNorm2d)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of all batches
    net.train()
    with torch.no_grad():
        for faces in batches:
            net(faces)
    net.eval()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=Path(__file__).with_name("config.toml"))
    parser.add_argument("--runs", nargs="+", required=True, help="the earlier one first")
    parser.add_argument("--run", required=True, help="name of the folder to write under runs/")
    given = parser.parse_args()
    torch.set_num_threads(1)
    settings = read_settings(given.config)
    net = build_face_network(pin_backbone(settings.network))
    average(net, [torch.load(RUNS / run / "weights.pt", weights_only=True) for run in given.runs])
    stream = TwinStream(TwinSource(settings.kinds, held_out=False), _SEED)
    loader = iter(DataLoader(stream, settings.training.pairs_per_batch, num_workers=1))
    batches = (next(loader)[0].flatten(0, 1).float() / 255.0 for _ in range(_BATCHES))
    measure_norms(net, batches)
    folder = RUNS / given.run
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(trained_state(net), folder / "weights.pt")
    steps = steps_of(RUNS / given.runs[-1] / "training.pt")
    torch.save({"step": 0, "before": steps}, folder / "training.pt")
    print(f"mean of {' and '.join(given.runs)}, {steps} steps; written to {folder}")


if __name__ == "__main__":
    main()
