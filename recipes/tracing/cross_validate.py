"""Write the scores of pictures by networks and fingerprints that never saw their source files.

python -m recipes.tracing.cross_validate
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
import torch

from avdetect.tracing.picture_evidence import Matchers, Measurement, pair_similarities
from avdetect.tracing.properties import CAMERA
from eval.tracing.pictures import N_FOLDS, FaceRow, face_rows
from eval.tracing.scores import DESIGNS, PICTURE_PAIRS, PICTURE_SCORES, TILEWISE, write_table
from recipes.tracing.picture_designs import PER_GENERATOR, leave_one_out
from recipes.tracing.picture_folds import (
    FILES,
    GENERATORS,
    Library,
    asked_rows,
    conditions_of,
    measured,
    procedures,
    score_rows,
    train_matchers,
    training_rows,
)
from recipes.tracing.ridge import fit_ridge
from recipes.tracing.settings import Settings, read_settings

_PAIRS_PER_FOLD = 150  # of each kind
Line = dict[str, object]


def main() -> None:
    """Train every procedure, write every table."""
    torch.set_num_threads(1)
    settings, library = read_settings(), Library(face_rows())
    scores: list[Line] = []
    pairs: list[Line] = []
    without: dict[str, Matchers] = {}
    unseen_by: dict[str, str] = {}
    for procedure in procedures(library.rows):
        name = f"{procedure.name}_{procedure.fold}"
        matchers = train_matchers(library, training_rows(library, procedure), settings, name=name)
        if procedure.name == GENERATORS:
            without[name] = matchers
            unseen_by |= dict.fromkeys(procedure.without, name)
        for condition in conditions_of(procedure):
            rows = asked_rows(library, procedure, condition)
            found = measured(library, matchers, rows, condition)
            answers = matchers.evidence(found), matchers.novelty(found)
            scores += score_rows(library, procedure, condition, rows, answers)
            if procedure.name == FILES and condition in ("native", "crop_128_jpeg"):
                pairs += _pairs(rows, found, matchers, procedure.fold, condition)
            print(f"{name} {condition}: {len(rows)} pictures", flush=True)
        write_table(PICTURE_SCORES, scores)
    write_table(PICTURE_PAIRS, pairs)
    write_table(DESIGNS, _designs(library, without, unseen_by, settings))
    write_table(TILEWISE, _tilewise(library, settings))


def _pairs(
    rows: Sequence[FaceRow],
    found: Sequence[Measurement],
    matchers: Matchers,
    fold: int,
    condition: str,
) -> Iterator[Line]:
    """Pairs of held-out pictures: of known sources from two files, and of generators never seen."""
    rng = np.random.default_rng(fold)
    kinds: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for i, j in combinations(range(len(rows)), 2):
        a, b = rows[i], rows[j]
        if a.is_known != b.is_known or (a.source == b.source == CAMERA):
            continue
        if a.is_known and a.file == b.file:
            continue  # tiles of one grid are alike for other reasons
        kinds["known" if a.is_known else "stranger", int(a.source == b.source)].append((i, j))
    for (kind, same), all_of_kind in kinds.items():
        chosen = rng.permutation(len(all_of_kind))[:_PAIRS_PER_FOLD]
        for i, j in (all_of_kind[index] for index in chosen):
            cosine, correlation = pair_similarities(found[i], found[j], matchers.explicit).tolist()
            yield {
                "condition": condition,
                "fold": fold,
                "kind": kind,
                "same": same,
                "cosine": cosine,
                "correlation": correlation,
                "file": rows[i].file,
            }


def some_of_every_generator(library: Library) -> dict[str, list[FaceRow]]:
    """A few pictures of each generator, known or not, spread over its source files."""
    rows: dict[str, list[FaceRow]] = defaultdict(list)
    for row in sorted(library.rows, key=lambda row: (row.file, row.id)):
        if row.source != CAMERA:
            rows[row.source].append(row)
    return {
        source: [of[i] for i in np.linspace(0, len(of) - 1, PER_GENERATOR).round().astype(int)]
        for source, of in rows.items()
    }


def _designs(
    library: Library,
    without: dict[str, Matchers],
    unseen_by: dict[str, str],
    settings: Settings,
) -> Iterator[Line]:
    some = some_of_every_generator(library)
    network_of = {source: unseen_by.get(source, f"{GENERATORS}_0") for source in some}
    for condition in ("native", "crop_64_jpeg"):
        by_network = {
            name: {
                source: list(
                    zip(
                        (row.id for row in of),
                        measured(library, matchers, of, condition),
                        strict=True,
                    )
                )
                for source, of in some.items()
            }
            for name, matchers in without.items()
        }
        yield from leave_one_out(by_network, network_of, settings.explicit.design_ridge, condition)


def _tilewise(library: Library, settings: Settings) -> Iterator[Line]:
    """All sources as classes, explicit fingerprints only, folds once by file, once by picture."""
    rows = library.rows
    spectra = np.stack([library.spectrum(row) for row in rows])
    dealt = np.random.default_rng(5).permutation(len(rows)) % N_FOLDS
    for kept, sources in (
        ("known", np.array([row.is_known for row in rows])),
        ("all", np.ones(len(rows), bool)),
    ):
        for split, folds in (("file", np.array([row.fold for row in rows])), ("picture", dealt)):
            if kept == "all" and split == "file":
                continue  # most of them come from one file: nothing would be left to learn from
            for fold in range(N_FOLDS):
                learn, ask = sources & (folds != fold), sources & (folds == fold)
                labels = [row.source for row, is_kept in zip(rows, learn, strict=True) if is_kept]
                head = fit_ridge(
                    spectra[learn], labels, sorted(set(labels)), settings.explicit.ridge
                )
                said = head.scores(spectra[ask]).argmax(1)
                for index, best in zip(np.flatnonzero(ask), said, strict=True):
                    yield {
                        "classes": kept,
                        "split": split,
                        "source": rows[index].source,
                        "file": rows[index].file,
                        "said": head.names[int(best)],
                    }


if __name__ == "__main__":
    main()
