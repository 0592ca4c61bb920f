"""Forge twins of human clips once, and keep them: what training and choosing draw from.

python -m recipes.voice_clone.twins

Writes ``runs/voice_clone/forged/<kind>/<clip>.npy``, int16 at 16 kHz, on the clock of the ``clean``
variant of `recipes.datasets.voices`. Run again, it makes what is lacking.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
import torch

from eval.manifest.row import ManifestRow
from eval.protocol import read_protocol
from recipes.datasets.voices import VoiceStore, clip_id, is_fake
from recipes.forge.kinds import Forge
from recipes.forge.pairs import Families, TwinMaker, available_families
from recipes.voice_clone.rows import PROTOCOL, development_split, voice_rows
from recipes.voice_clone.settings import (
    CONFIG,
    FORGED,
    STORE,
    ForgingSettings,
    read_settings,
)

Kept = dict[str, dict[str, Forge]]


def split_families(families: Families, names: Sequence[str]) -> tuple[Kept, Kept]:
    """Kinds without and with a name: of a family, a kind, or a vocoder's training (all its steps).

    Raises:
        ValueError: a name is of nothing that can be forged here.
    """
    kept: Kept = defaultdict(dict)
    taken: Kept = defaultdict(dict)
    met = set()
    for family, kinds in families.items():
        for kind, forge in kinds.items():
            called = {family, kind, kind.partition("@")[0]} & set(names)
            met |= called
            (taken if called else kept)[family][kind] = forge
    if unknown := set(names) - met:
        raise ValueError(f"nothing here forges {', '.join(sorted(unknown))}")
    return dict(kept), dict(taken)


def forgers(settings: ForgingSettings) -> tuple[Kept, Kept, Kept]:
    """Kinds by family: learned from, chosen by, and kept for measuring alone."""
    others, measured = split_families(available_families(spoken=False), settings.measured)
    training, validation = split_families(others, settings.validation)
    return training, validation, measured


def write_twins(rows: Sequence[ManifestRow], families: Families, count: int) -> None:
    """Twins of human clips that are not kept yet, ``count`` draws a clip, a round after another."""
    clean, forged, make = VoiceStore(STORE), VoiceStore(FORGED), TwinMaker(families)
    humans = [clip_id(row) for row in rows if not is_fake(row)]
    for turn in range(count):
        for clip in humans:
            rng = np.random.default_rng([zlib.crc32(clip.encode()), turn])
            family, kind = make.draw_kind(rng)
            if not forged.path(kind, clip).is_file():
                twin = families[family][kind](clean.read("clean", clip), rng)
                forged.write(kind, clip, np.round(twin * 32767).astype(np.int16))
        print(f"twins {turn + 1} of {count} of {len(humans)} clips", flush=True)


def kept_twins(families: Mapping[str, Mapping[str, Forge]]) -> dict[str, list[str]]:
    """Kinds in which each clip was forged and kept, by clip, sorted; of these families alone."""
    found: dict[str, list[str]] = defaultdict(list)
    for kind in sorted(kind for kinds in families.values() for kind in kinds):
        for path in sorted((FORGED / kind).glob("*.npy")):
            found[path.stem].append(kind)
    return dict(found)


def main() -> None:
    """Command line."""
    torch.set_num_threads(1)
    settings = read_settings(CONFIG)
    training, development = development_split(
        voice_rows(), read_protocol(PROTOCOL), settings.development_fold
    )
    learned, chosen_by, _ = forgers(settings.forging)
    write_twins(development, chosen_by, settings.forging.twins_per_clip)
    write_twins(training, learned, settings.forging.twins_per_clip)


if __name__ == "__main__":
    main()
