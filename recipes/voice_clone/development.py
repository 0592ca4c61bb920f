"""What steps of a training are chosen by: fakes of others, and forgers that training never met.

python -m recipes.voice_clone.development --run pairs      # a run, by generator and by kind

All of it is made of the development fold, of which training heard nothing.
"""

from __future__ import annotations

import argparse
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from avdetect.branches.voice_front_ends import Inputs, front_end
from avdetect.channels.codecs import Waveform
from avdetect.channels.training_chain import training_channel
from avdetect.nn.pooling import STEPS_PER_ROW, row_weights, weighted_mean
from avdetect.nn.trained_state import load_trained_state
from avdetect.nn.voice_net import VoiceNet
from eval.manifest.row import ManifestRow
from eval.metrics import auc
from eval.protocol import read_protocol
from recipes.datasets.voices import VoiceStore, clip_id, is_fake
from recipes.forge.partial import replace_by_twin
from recipes.voice_clone.batches import Batch, Example, collate
from recipes.voice_clone.crops import crop_clip, crop_spoof
from recipes.voice_clone.loss import frame_speech
from recipes.voice_clone.rows import PROTOCOL, development_split, voice_rows
from recipes.voice_clone.settings import CONFIG, FORGED, RUNS, STORE, read_settings
from recipes.voice_clone.twins import forgers, kept_twins

_STEPS = 80
_TWINS_PER_CLIP = 2
_BATCH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Scores of a development set; higher = more fake.

    Attributes:
        real: (H,) of human clips.
        generated: (F,) of other people's fakes.
        twins: (P, 2) of human clips and their twins.
    """

    real: Tensor
    generated: Tensor
    twins: Tensor

    def figures(self) -> dict[str, float]:
        """AUC of both kinds of fakes against human clips, and how many twins outscore theirs."""
        return {
            "auc_fakes": _auc(self.real, self.generated),
            "auc_twins": _auc(*self.twins.unbind(1)),
            "ranked": float((self.twins[:, 1] > self.twins[:, 0]).float().mean()),
        }


class Development:
    """The development set of a training, in memory: as recorded and through channels.

    Args:
        rows: of the development fold.
        stores: where clean and coded variants lie, and where twins lie.
        twins: kinds in which each human clip was forged; kinds that training does not meet.
    """

    def __init__(
        self,
        rows: Sequence[ManifestRow],
        stores: tuple[VoiceStore, VoiceStore],
        twins: Mapping[str, Sequence[str]],
    ) -> None:
        self._store, self._forged = stores
        self.humans = [clip_id(row) for row in rows if not is_fake(row)]
        self.fakes = [clip_id(row) for row in rows if is_fake(row)]
        self.generators = [row.generator for row in rows if is_fake(row)]
        self.copies = [(c, kind) for c in self.humans for kind in _drawn(c, twins.get(c, ()))]
        self._batches = {
            channel: [
                *(collate(self._clips(names, channel), 0) for names in (self.humans, self.fakes)),
                collate(self._copies(channel), len(self.copies)),
            ]
            for channel in ("clean", "coded")
        }
        self._spoofs = collate(self._spoofed(), 0)

    def score(self, net: VoiceNet, inputs: Callable[[Tensor, Tensor], Inputs]) -> dict[str, Scored]:
        """Scores of clips of four seconds, by channel."""
        found = {}
        for channel, batches in self._batches.items():
            real, generated, copies = (_scores(net, inputs, batch)[0] for batch in batches)
            found[channel] = Scored(real=real, generated=generated, twins=copies.reshape(-1, 2))
        return found

    def frame_auc(self, net: VoiceNet, inputs: Callable[[Tensor, Tensor], Inputs]) -> float:
        """Of 20 ms frames of speech, clips of which a word is forged by an unmet forger."""
        _, frames = _scores(net, inputs, self._spoofs)
        spoken = frame_speech(self._spoofs.speech) > 0
        return auc(self._spoofs.frames[spoken].numpy(), frames[spoken].numpy())

    def figures(
        self, net: VoiceNet, inputs: Callable[[Tensor, Tensor], Inputs]
    ) -> dict[str, float]:
        """All figures of a network by name; ``auc`` is what steps are chosen by."""
        found = {
            f"{name}_{channel}": value
            for channel, scored in self.score(net, inputs).items()
            for name, value in scored.figures().items()
        }
        if net.frames is not None:
            found["auc_frames"] = self.frame_auc(net, inputs)
        chosen_by = [value for name, value in found.items() if name.startswith("auc_")]
        return {"auc": float(np.mean(chosen_by)), **found}

    def _clips(self, names: Sequence[str], channel: str) -> list[Example]:
        variant = "clean" if channel == "clean" else "channel_0"
        return [self._example(self._store.read(variant, name), name) for name in names]

    def _copies(self, channel: str) -> list[Example]:
        examples = []
        for clip, kind in self.copies:
            way = training_channel(np.random.default_rng(zlib.crc32(f"{clip} {kind}".encode())))
            for sound in (self._store.read("clean", clip), self._forged.read(kind, clip)):
                example = self._example(sound, clip)
                sent = example.waveform if channel == "clean" else way(example.waveform)
                examples.append(
                    Example(waveform=sent, speech=example.speech, frames=example.frames)
                )
        return examples

    def _example(self, waveform: Waveform, clip: str) -> Example:
        sound, speech = crop_clip(waveform, self._store.read_speech(clip), _STEPS, first=0)
        return Example(waveform=sound, speech=speech, frames=np.zeros(1, np.float32))

    def _spoofed(self) -> list[Example]:
        examples = []
        for clip, kind in self.copies:
            rng = np.random.default_rng(zlib.crc32(f"word {clip} {kind}".encode()))
            original, twin = self._store.read("clean", clip), self._forged.read(kind, clip)
            spoof = replace_by_twin(original, twin, rng)
            if spoof is None:
                continue
            _, sound, frames = crop_spoof(spoof, _STEPS, 0.5)
            _, speech = crop_clip(original, self._store.read_speech(clip), _STEPS, first=0)
            examples.append(Example(waveform=sound, speech=speech, frames=frames, whole=False))
        return examples


def read_development() -> Development:
    """The development set of the committed settings; raises `ManifestError` without the data."""
    settings = read_settings(CONFIG)
    _, rows = development_split(voice_rows(), read_protocol(PROTOCOL), settings.development_fold)
    _, validation, _ = forgers(settings.forging)
    return Development(rows, (VoiceStore(STORE), VoiceStore(FORGED)), kept_twins(validation))


@torch.inference_mode()
def _scores(
    net: VoiceNet, inputs: Callable[[Tensor, Tensor], Inputs], batch: Batch
) -> tuple[Tensor, Tensor]:
    """Of clips (B,) and of frames (B, F), on the CPU."""
    net.eval()
    device = next(net.parameters()).device
    clips, frames = [], []
    for first in range(0, len(batch.labels), _BATCH):
        sound = batch.waveforms[first : first + _BATCH].to(device)
        speech = batch.speech[first : first + _BATCH].to(device)
        _, rows, located = net(inputs(sound, speech), speech)
        clips.append(weighted_mean(rows, row_weights(speech, STEPS_PER_ROW)).cpu())
        frames.append(located.cpu())
    return torch.cat(clips), torch.cat(frames)


def _drawn(clip: str, kinds: Sequence[str]) -> list[str]:
    rng = np.random.default_rng(zlib.crc32(clip.encode()))
    return [str(kind) for kind in rng.permutation(list(kinds))[:_TWINS_PER_CLIP]]


def _auc(real: Tensor, fake: Tensor) -> float:
    labels = [0] * len(real) + [1] * len(fake)
    return auc(labels, torch.cat([real, fake]).numpy())


def _by_name(real: Tensor, fake: Tensor, names: Sequence[str]) -> dict[str, tuple[float, int]]:
    """AUC of the fakes of each name against all real clips, and how many there are."""
    groups = np.array(names)
    return {
        str(name): (_auc(real, fake[groups == name]), int((groups == name).sum()))
        for name in sorted(set(names))
    }


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", required=True, help="folder below runs/voice_clone")
    parser.add_argument("--which", default="best", choices=("best", "final"), help="of the run")
    given = parser.parse_args()
    torch.set_num_threads(1)
    saved = torch.load(RUNS / given.run / f"{given.which}.pt", weights_only=True)
    front = front_end(saved["network"])
    net = front.build(saved["network"])
    assert isinstance(net, VoiceNet)
    load_trained_state(net, saved["state"])
    development = read_development()
    for name, value in development.figures(net, front.inputs).items():
        print(f"{name:20s} {value:.3f}")
    for channel, scored in development.score(net, front.inputs).items():
        human, copies = scored.twins.unbind(1)
        print(f"\n{channel}: AUC against all human clips of the fold")
        tables = (
            _by_name(scored.real, scored.generated, development.generators),
            _by_name(human, copies, [kind for _, kind in development.copies]),
        )
        for name, (value, count) in (tables[0] | tables[1]).items():
            print(f"    {name:34s} {value:.3f}  {count} clips")


if __name__ == "__main__":
    main()
