"""Pictures through networks that never saw their source files: the procedures and their scores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.nn.fingerprint_network import FingerprintConfig, FingerprintTracer
from avdetect.tracing.blocks import cut_blocks
from avdetect.tracing.matching import average_fingerprints
from avdetect.tracing.picture_evidence import KINDS, Matchers, Measurement, embed
from avdetect.tracing.properties import CAMERA
from avdetect.tracing.residual import residual_spectrum
from eval.tracing.pictures import (
    CONDITIONS,
    N_FOLDS,
    NEEDS_128,
    FaceRow,
    Picture,
    known_sources,
    read_picture,
    some_unknown,
)
from recipes.tracing.picture_training import BlockDraw, train_tracer
from recipes.tracing.ridge import fit_ridge
from recipes.tracing.settings import RUNS, Settings

FILES, GENERATORS, SHUFFLED = "files", "generators", "shuffled"
LEARNED_ON = ("native", "crop_64", "crop_64_jpeg", "crop_128_jpeg")


@dataclass(frozen=True, slots=True, kw_only=True)
class Procedure:
    """One training and what it is asked about.

    Attributes:
        name: `FILES`, `GENERATORS` or `SHUFFLED`.
        fold: of the source files held out.
        without: known generators held out with them.
    """

    name: str
    fold: int
    without: tuple[str, ...] = ()


def procedures(rows: Sequence[FaceRow]) -> list[Procedure]:
    """Every fold of source files; two halves of the known generators; one with shuffled labels."""
    generators = [name for name in known_sources(list(rows)) if name != CAMERA]
    by_file = [Procedure(name=FILES, fold=fold) for fold in range(N_FOLDS)]
    halves = [
        Procedure(name=GENERATORS, fold=half, without=tuple(generators[half::2])) for half in (0, 1)
    ]
    return [*by_file, *halves, Procedure(name=SHUFFLED, fold=0)]


class Library:
    """All pictures in memory."""

    def __init__(self, rows: Sequence[FaceRow]) -> None:
        self.rows = list(rows)
        self.sources = known_sources(self.rows)
        self._pictures = {row.id: read_picture(row) for row in self.rows}
        self._spectra: dict[str, dict[str, NDArray[np.float32]]] = {name: {} for name in CONDITIONS}

    def picture(self, row: FaceRow) -> Picture:
        """(H, W, 3) uint8 RGB as stored."""
        return self._pictures[row.id]

    def conditioned(self, row: FaceRow, condition: str) -> Picture:
        """As a condition of the evaluation leaves it; the same at every call."""
        seed = [*row.id.encode(), *condition.encode()]
        return CONDITIONS[condition](self.picture(row), np.random.default_rng(seed))

    def measure(self, network: FingerprintTracer, row: FaceRow, condition: str) -> Measurement:
        """Measure a picture; its spectrum, which no network changes, is kept."""
        blocks = cut_blocks(self.conditioned(row, condition))
        return Measurement(
            spectrum=self.spectrum(row, condition),
            embedding=embed(network, blocks),
            n_blocks=len(blocks),
        )

    def spectrum(self, row: FaceRow, condition: str = "native") -> NDArray[np.float32]:
        """Residual spectrum of a picture under a condition; computed once."""
        kept = self._spectra[condition]
        if row.id not in kept:
            kept[row.id] = residual_spectrum(cut_blocks(self.conditioned(row, condition)))
        return kept[row.id]


def train_matchers(
    library: Library, rows: Sequence[FaceRow], settings: Settings, *, name: str
) -> Matchers:
    """Network and explicit fingerprints of the sources of some rows; trained once per ``name``."""
    sources = [s for s in library.sources if any(row.source == s for row in rows)]
    labels = [row.source for row in rows]
    network = _network(library, rows, settings, name=name)
    spectra = np.stack(
        [library.spectrum(row, condition) for condition in LEARNED_ON for row in rows]
    )
    labels = labels * len(LEARNED_ON)
    return Matchers(
        network=network,
        explicit=average_fingerprints(spectra, labels, sources),
        whitened=fit_ridge(spectra, labels, sources, settings.explicit.ridge),
    )


def _network(
    library: Library, rows: Sequence[FaceRow], settings: Settings, *, name: str
) -> FingerprintTracer:
    sources = [s for s in library.sources if any(row.source == s for row in rows)]
    config = FingerprintConfig(**settings.network, n_sources=len(sources))
    path = RUNS / f"{name}.pt"
    if path.is_file():
        network = FingerprintTracer(config)
        network.load_state_dict(torch.load(path, weights_only=True))
        return network.eval()
    print(f"training {name} on {len(rows)} pictures of {len(sources)} sources", flush=True)
    draw = BlockDraw(
        [library.picture(row) for row in rows],
        [sources.index(row.source) for row in rows],
        [row.file for row in rows],
        settings.picture,
    )
    network = train_tracer(draw, config, settings.picture)
    RUNS.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)
    return network


def training_rows(library: Library, procedure: Procedure) -> list[FaceRow]:
    """What a procedure may learn from; labels exchanged between files for the control."""
    rows = [
        row
        for row in library.rows
        if row.is_known and row.fold != procedure.fold and row.source not in procedure.without
    ]
    return _shuffled(rows) if procedure.name == SHUFFLED else rows


def asked_rows(library: Library, procedure: Procedure, condition: str) -> list[FaceRow]:
    """What a procedure is asked about: nothing of it was learned from."""
    held_out = [row for row in library.rows if row.is_known and row.fold == procedure.fold]
    if procedure.name == SHUFFLED:
        return held_out
    if procedure.name == GENERATORS:
        return [row for row in held_out if row.source not in procedure.without] + [
            row for row in library.rows if row.source in procedure.without
        ]
    if condition in NEEDS_128:
        return held_out
    strangers = [row for row in some_unknown(library.rows) if row.fold == procedure.fold]
    return held_out + strangers


def conditions_of(procedure: Procedure) -> tuple[str, ...]:
    """Conditions that a procedure is asked under."""
    if procedure.name == FILES:
        return tuple(CONDITIONS)
    return ("native", "crop_128_jpeg") if procedure.name == GENERATORS else ("native",)


def measured(
    library: Library, matchers: Matchers, rows: Sequence[FaceRow], condition: str
) -> list[Measurement]:
    """Measurements of rows under a condition."""
    return [library.measure(matchers.network, row, condition) for row in rows]


def score_rows(
    library: Library,
    procedure: Procedure,
    condition: str,
    rows: Sequence[FaceRow],
    found: tuple[NDArray[np.float32], NDArray[np.float32]],
) -> Iterator[dict[str, object]]:
    """One line of the table per picture, from evidence and novelty; empty cells: held out."""
    known = [s for s in library.sources if s not in procedure.without]
    for row, values, novelty in zip(rows, *found, strict=True):
        line: dict[str, object] = {
            "procedure": procedure.name,
            "condition": condition,
            "fold": procedure.fold,
            "source": row.source,
            "file": row.file,
            "side_px": library.picture(row).shape[0],
            "novelty": float(novelty),
        }
        for kind, of_kind in zip(KINDS, values, strict=True):
            scores = dict(zip(known, of_kind.tolist(), strict=True))
            line |= {f"{kind}:{s}": scores.get(s, "") for s in library.sources}
        yield line


def _shuffled(rows: Sequence[FaceRow]) -> list[FaceRow]:
    """Sources exchanged between files, so that a file's pictures keep one label together."""
    files = sorted({(row.file, row.source) for row in rows})
    order = np.random.default_rng(11).permutation(len(files))
    given = {file: files[index][1] for (file, _), index in zip(files, order, strict=True)}
    return [
        FaceRow(id=r.id, source=given[r.file], file=r.file, fold=r.fold, is_known=True)
        for r in rows
    ]
