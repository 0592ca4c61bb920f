"""Export the tracer of pictures: the network of the first fold, whose figures are known.

python -m recipes.tracing.picture_export
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avdetect.tracing.linear import head_tensors
from avdetect.tracing.matching import matcher_tensors
from avdetect.tracing.picture_evidence import Matchers
from avdetect.tracing.pictures import PICTURE_MODEL, ROLE
from avdetect.tracing.properties import PROPERTIES
from eval.tracing.design_figures import design_lines
from eval.tracing.fusing import KNOWN_KEPT, LEAST_SHARE, fit_pair
from eval.tracing.picture_figures import COMBINED, pair_likeness, picture_lines
from eval.tracing.picture_table import fitted_weights, read_scores
from eval.tracing.pictures import LEAST_FILES, FaceRow, face_rows
from eval.tracing.scores import PICTURE_PAIRS, read_table
from recipes.export import export_checkpoint
from recipes.tracing.cross_validate import some_of_every_generator
from recipes.tracing.picture_designs import fit_design
from recipes.tracing.picture_folds import (
    FILES,
    Library,
    Procedure,
    measured,
    train_matchers,
    training_rows,
)
from recipes.tracing.settings import Settings, read_settings


def main() -> None:
    """Fit the heads of designs, export, say where."""
    torch.set_num_threads(1)
    settings, library = read_settings(), Library(face_rows())
    rows = training_rows(library, Procedure(name=FILES, fold=0))
    matchers = train_matchers(library, rows, settings, name=f"{FILES}_0")
    state, values = _design_heads(library, matchers, settings)
    state |= {f"network.{key}": value for key, value in matchers.network.state_dict().items()}
    state |= matcher_tensors(matchers.explicit) | head_tensors("whitened", matchers.whitened)
    config = {
        "sources": list(matchers.explicit.names),
        "weights": [round(float(w), 4) for w in fitted_weights(read_scores(FILES), COMBINED)],
        "pair_weights": [round(float(w), 4) for w in _pair_weights()],
        "network": asdict(matchers.network.config),
        "limits": {
            "most_novelty": _most_novelty("native", "crop_128_jpeg"),
            "most_novelty_few": _most_novelty("crop_64", "crop_64_jpeg"),
            "least_share": LEAST_SHARE,
        },
        "design": values,
    }
    folder = export_checkpoint(
        PICTURE_MODEL,
        role=ROLE,
        summary="Names the generator of a picture by explicit and learned fingerprints, and reads "
        "the design of one it does not know.",
        state=state,
        config=config,
        facts=_facts(rows),
    )
    print(folder)


def _design_heads(
    library: Library, matchers: Matchers, settings: Settings
) -> tuple[dict[str, Tensor], dict[str, list[str]]]:
    """Heads over all generators, from pictures as stored and cut to 64 px with a JPEG."""
    found, sources = [], []
    some = some_of_every_generator(library)
    for condition in ("native", "crop_64_jpeg"):
        for source, of in some.items():
            found += measured(library, matchers, of, condition)
            sources += [source] * len(of)
    state: dict[str, Tensor] = {}
    values = {}
    for name in PROPERTIES:
        explicit, _ = fit_design(found, sources, name, settings.explicit.design_ridge)
        state |= head_tensors(f"design.{name}", explicit)
        values[name] = list(explicit.names)
    return state, values


def _most_novelty(*conditions: str) -> float:
    """What most held-out pictures of known sources stay below; one block: as cut to 64 px."""
    scored = read_scores(FILES)
    kept = scored.take(scored.is_known & np.isin(scored.condition, conditions))
    return round(float(np.quantile(kept.novelty, KNOWN_KEPT)), 4)


def _pair_weights() -> list[float]:
    rows = [
        row
        for row in read_table(PICTURE_PAIRS, ("kind", "same", "cosine", "correlation"))
        if row["kind"] == "known"
    ]
    same = np.array([row["same"] == "1" for row in rows])
    return [float(weight) for weight in fit_pair(pair_likeness(rows), same)]


def _facts(rows: Sequence[FaceRow]) -> dict[str, Any]:
    return {
        "training": {
            "data": "data/faces/synthetic.csv, and photographs of data/faces/real.csv",
            "pictures": len(rows),
            "source_files": len({row.file for row in rows}),
            "known": f"generators with pictures from at least {LEAST_FILES} source files",
            "held_out": "one source file in five (fold 0)",
            "design": "avdetect/tracing/generators.toml",
            "command": "python -m recipes.tracing.cross_validate, then .picture_export",
        },
        "figures": {
            "command": "python -m eval trace-figures",
            "printed": [*picture_lines(), *design_lines()],
        },
        "limits": {
            "text": "Knows eight generators of faces and photographs; of generators it was not "
            "taught many are taken for a known one, and some photographs are given to a generator. "
            "Most generators are known from one repository each, so that what is recognised may "
            "partly be how that repository stored its pictures: figures fall where all pictures "
            "are cut to one size and go through one JPEG. The pictures of generators that count "
            "as unknown are 64 px tiles. Resizing wipes fingerprints out. Video was not measured."
        },
    }


if __name__ == "__main__":
    main()
