"""Train the network of codec histories, measure it on other speakers, write its checkpoint."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from avdetect.channels.histories import LINEAR
from avdetect.cues.codec_history import EITHER_LAW, TITLES, name_history
from avdetect.cues.codec_model import (
    CHECKPOINT,
    CONTAINERS,
    NAMES,
    ROLE,
    CodecModel,
    allowed,
    inputs_of,
)
from avdetect.cues.codec_traces import codec_traces
from recipes.codec_history.prepare import RUNS, Made, read_made
from recipes.export import export_checkpoint

_N_HIDDEN = 48
_N_STEPS = 1500
_BATCH = 256
_DEV_SHARE = 0.12  # of clips, for the point at which a history is named
_RIGHT = 0.8  # of named histories on the development clips, at least
_LAWS = (TITLES["ulaw"], TITLES["alaw"])


@dataclass(frozen=True, slots=True)
class Table:
    """Traces of N stretches with their truth.

    Attributes:
        traces: (N, T) float32.
        container: (N,) index into `CONTAINERS`.
        first, last: (N,) indices into `NAMES`.
        clip: (N,) names of the clips.
    """

    traces: NDArray[np.float32]
    container: NDArray[np.int64]
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    clip: NDArray[np.str_]

    def only(self, chosen: NDArray[np.bool_]) -> Table:
        """Some of the rows."""
        return Table(
            self.traces[chosen],
            self.container[chosen],
            self.first[chosen],
            self.last[chosen],
            self.clip[chosen],
        )


def read_table(name: str) -> Table:
    """Traces of what was prepared, kept beside it; stretches without enough sound are left out."""
    cache = RUNS / f"{name}_traces.npz"
    if not cache.is_file():
        rows = [(codec_traces(made.waveform), made) for made in read_made(name)]
        kept = [(traces, made) for traces, made in rows if traces is not None]
        np.savez(
            cache,
            traces=np.stack([traces for traces, _ in kept]),
            container=np.array([CONTAINERS.index(_container(made)) for _, made in kept]),
            first=np.array([NAMES.index(made.history.first) for _, made in kept]),
            last=np.array([NAMES.index(made.history.last) for _, made in kept]),
            clip=np.array([made.clip for _, made in kept]),
        )
    with np.load(cache, allow_pickle=False) as arrays:
        return Table(**{key: arrays[key] for key in arrays.files})


def _container(made: Made) -> str:
    return made.history.last if made.history.in_own_file else LINEAR


class _Network(nn.Module):
    def __init__(self, n_inputs: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(n_inputs, _N_HIDDEN)
        self.first = nn.Linear(_N_HIDDEN, len(NAMES))
        self.last = nn.Linear(_N_HIDDEN, len(NAMES))
        self.dropout = nn.Dropout(0.2)

    def forward(self, given: Tensor, possible: Tensor) -> Tensor:
        """(B, F * L) log-probabilities of pairs."""
        active = self.dropout(self.hidden(self.dropout(given)).relu())
        logits = self.first(active)[:, :, None] + self.last(active)[:, None, :]
        flat = logits.masked_fill(~possible, -1e9).flatten(1)
        log_probabilities: Tensor = flat.log_softmax(1)
        return log_probabilities


def train(table: Table, seed: int) -> CodecModel:
    """Fit on a table; settings were chosen on training clips alone."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    mean = np.median(table.traces, axis=0).astype(np.float64)
    deviation = np.maximum(table.traces.std(axis=0).astype(np.float64), 0.05)
    given, possible = _inputs(table, mean, deviation)
    truth = torch.from_numpy(table.first * len(NAMES) + table.last)
    net = _Network(given.shape[1])
    optimiser = torch.optim.AdamW(net.parameters(), 3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, _N_STEPS)
    for _ in range(_N_STEPS):
        rows = torch.from_numpy(rng.integers(len(truth), size=_BATCH))
        loss = nn.functional.nll_loss(net(given[rows], possible[rows]), truth[rows])
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
    return _rounded(net, mean, deviation)


def _inputs(
    table: Table, mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> tuple[Tensor, Tensor]:
    names = [CONTAINERS[index] for index in table.container]
    rows = [
        inputs_of(traces, name, mean, deviation)
        for traces, name in zip(table.traces, names, strict=True)
    ]
    given = torch.from_numpy(np.stack(rows)).float()
    return given, torch.from_numpy(np.stack([allowed(name) for name in names]))


def _rounded(
    net: _Network, mean: NDArray[np.float64], deviation: NDArray[np.float64]
) -> CodecModel:
    """The network in the half precision that it ships in, so that figures are those of the file."""

    def array(values: Tensor) -> NDArray[np.float64]:
        return values.detach().half().double().numpy()

    return CodecModel(
        mean=array(torch.from_numpy(mean)),
        deviation=array(torch.from_numpy(deviation)),
        hidden=array(net.hidden.weight),
        hidden_offset=array(net.hidden.bias),
        first=array(net.first.weight),
        first_offset=array(net.first.bias),
        last=array(net.last.weight),
        last_offset=array(net.last.bias),
        sure=0.5,
    )


def shares_of(model: CodecModel, table: Table) -> NDArray[np.float64]:
    """(N, F, L) probabilities."""
    pairs = zip(table.traces, table.container, strict=True)
    return np.exp(
        np.stack([model.log_probabilities(traces, CONTAINERS[index]) for traces, index in pairs])
    )


def choose_sure(shares: NDArray[np.float64], table: Table) -> float:
    """Least probability at which `_RIGHT` of the named histories are right."""
    for sure in np.arange(0.5, 0.96, 0.05):
        named, right = told(shares, table, float(sure))
        if named.any() and right[named].mean() >= _RIGHT:
            break
    return round(float(sure), 2)


def told(
    shares: NDArray[np.float64], table: Table, sure: float
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """(N,) whether a history is named, and rightly; G.711 without its law is right too."""
    said = [name_history(row, sure) for row in shares]
    pairs = zip(table.first.tolist(), table.last.tolist(), strict=True)
    truths = [[TITLES[NAMES[k]] for k in pair if k] for pair in pairs]
    right = [
        words is not None
        and len(words) == len(truth)
        and all(
            word == name or (word == EITHER_LAW and name in _LAWS)
            for word, name in zip(words, truth, strict=True)
        )
        for words, truth in zip(said, truths, strict=True)
    ]
    return np.array([words is not None for words in said]), np.array(right)


def measure(model: CodecModel, table: Table) -> dict[str, object]:
    """How often histories are named, and named rightly; by what came before, in own files."""
    shares = shares_of(model, table)
    named, right = told(shares, table, model.sure)
    best = shares.reshape(len(shares), -1).argmax(axis=1) == table.first * len(NAMES) + table.last
    own = table.container > 0
    figures: dict[str, object] = {"n": len(right), "n_clips": len(set(table.clip.tolist()))}
    for words, rows in (("in_own_file", own), ("unpacked", ~own)):
        figures[words] = {
            "n": int(rows.sum()),
            "likeliest_is_right": _share(best[rows]),
            "named": _share(named[rows]),
            "right_of_named": _share(right[rows & named]),
        }
    figures["by_first_codec_in_own_file"] = {
        name: {
            "n": int(rows.sum()),
            "likeliest_is_right": _share(best[rows]),
            "named": _share(named[rows]),
            "named_rightly": _share(right[rows]),
        }
        for index, name in enumerate(NAMES)
        if (rows := own & (table.first == index)).any()
    }
    return figures


def _share(values: NDArray[np.bool_]) -> float:
    return round(float(values.mean()), 3) if len(values) else 0.0


def _shuffled(table: Table, rng: np.random.Generator) -> Table:
    """The control: histories dealt anew among stretches of the same container."""
    first, last = table.first.copy(), table.last.copy()
    for index in np.unique(table.container):
        rows = np.flatnonzero(table.container == index)
        dealt = rng.permutation(rows)
        first[rows], last[rows] = first[dealt], last[dealt]
    return Table(table.traces, table.container, first, last, table.clip)


def _with_sure(model: CodecModel, sure: float) -> CodecModel:
    arrays = {name: getattr(model, name) for name in CodecModel.__slots__ if name != "sure"}
    return CodecModel(**arrays, sure=sure)


def _confusion(model: CodecModel, table: Table) -> list[str]:
    """Rows of truth against columns of what was said, of the first codec in own files."""
    said = shares_of(model, table).sum(axis=2).argmax(axis=1)
    own = table.container > 0
    head = "".join(f"{name:>8}" for name in NAMES)
    lines = [f"{'first':>8}{head}"]
    for index, name in enumerate(NAMES):
        counts = np.bincount(said[own & (table.first == index)], minlength=len(NAMES))
        lines.append(f"{name:>8}" + "".join(f"{count:8d}" for count in counts.tolist()))
    return lines


def main(words: Sequence[str] | None = None) -> None:
    """Train, print figures, export."""
    parser = argparse.ArgumentParser(prog="python -m recipes.codec_history.train")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--dry", action="store_true", help="print figures, write no checkpoint")
    arguments = parser.parse_args(words)
    torch.set_num_threads(1)
    made, test = read_table("train"), read_table("modern")
    clips = np.unique(made.clip)
    rng = np.random.default_rng(arguments.seed)
    kept_back = rng.choice(clips, round(_DEV_SHARE * len(clips)), replace=False)
    held = np.isin(made.clip, kept_back)
    model = train(made.only(~held), arguments.seed)
    development = made.only(held)
    model = _with_sure(model, choose_sure(shares_of(model, development), development))
    figures = measure(model, test)
    dealt = train(_shuffled(made.only(~held), rng), arguments.seed)
    control = measure(_with_sure(dealt, model.sure), test)
    print(f"named from {model.sure} on\ndevelopment {measure(model, development)}")
    print(f"test {figures}\ncontrol {control}")
    print("\n".join(_confusion(model, test)))
    if not arguments.dry:
        _export(model, figures, control, made.only(~held))


def _export(
    model: CodecModel, figures: dict[str, object], control: dict[str, object], made: Table
) -> None:
    state = {
        name: torch.from_numpy(getattr(model, name))
        for name in CodecModel.__slots__
        if name != "sure"
    }
    command = "python -m recipes.codec_history.train"
    export_checkpoint(
        CHECKPOINT,
        role=ROLE,
        summary="Names through which codecs a recording went, by the traces they left.",
        state=state,
        config={"names": list(NAMES), "containers": list(CONTAINERS), "sure": model.sure},
        facts={
            "data": {
                "training": "clips of data/audio/train.csv that were never coded with loss as far "
                "as is known, LibriSpeech left out, sent through drawn histories of real codecs",
                "n_stretches": len(made.first),
                "n_clips": len(set(made.clip.tolist())),
                "test": "the same of data/audio/modern.csv: no speaker and no source in common",
            },
            "figures": {"command": command, **figures},
            "control_with_shuffled_histories": {"command": command, **control},
            "limits": {
                "codecs": "Codecs that were not learned (G.726, mSBC, EVS, Vorbis and others) may "
                "be given the name of a learned one; python -m eval cues prints how often.",
                "length": "At most two codecs are named. Learned from two to four seconds of "
                "speech; music was not tried.",
            },
        },
    )


if __name__ == "__main__":
    main()
