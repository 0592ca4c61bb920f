"""Designs of generators read from their pictures, each by heads that never saw the generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from avdetect.tracing.linear import LinearHead
from avdetect.tracing.picture_evidence import Measurement
from avdetect.tracing.properties import PROPERTIES, UNKNOWN, generators
from recipes.tracing.ridge import fit_ridge

PER_GENERATOR = 12


def design_features(measured: Sequence[Measurement]) -> tuple[NDArray[np.float32], ...]:
    """(N, D) residual spectra and (N, E) embeddings."""
    return np.stack([m.spectrum for m in measured]), np.stack([m.embedding for m in measured])


def fit_design(
    measured: Sequence[Measurement], sources: Sequence[str], name: str, ridge: float
) -> tuple[LinearHead, LinearHead]:
    """Heads for one property, on spectra and on embeddings; generators count alike.

    Args:
        measured: of pictures of generators.
        sources: the generator of each.
        name: one of `PROPERTIES`; generators of which it is not known are left out.
        ridge: strength of shrinkage.
    """
    truth = [generators()[source].properties[name] for source in sources]
    kept = [index for index, value in enumerate(truth) if value != UNKNOWN]
    values = sorted({truth[index] for index in kept})
    counts = {source: sources.count(source) for source in set(sources)}
    weights = np.array([1.0 / counts[sources[index]] for index in kept])
    labels = [truth[index] for index in kept]
    spectra, embeddings = design_features([measured[index] for index in kept])
    return (
        fit_ridge(spectra, labels, values, ridge, weights),
        fit_ridge(embeddings, labels, values, ridge, weights),
    )


def leave_one_out(
    by_network: Mapping[str, Mapping[str, Sequence[tuple[str, Measurement]]]],
    network_of: Mapping[str, str],
    ridge: float,
    condition: str,
) -> Iterator[dict[str, object]]:
    """Predictions for every picture of every generator, by heads fitted without the generator.

    Args:
        by_network: network -> generator -> (id, measurement) of its pictures.
        network_of: generator -> a network that never saw it.
        ridge: strength of shrinkage.
        condition: for the table.
    """
    for source, network in network_of.items():
        others = [(s, m) for s, of in by_network[network].items() if s != source for _, m in of]
        asked = by_network[network][source]
        lines: list[dict[str, object]] = [{"condition": condition, "source": source} for _ in asked]
        spectra, embeddings = design_features([m for _, m in asked])
        for name in PROPERTIES:
            heads = fit_design([m for _, m in others], [s for s, _ in others], name, ridge)
            scores = [heads[0].scores(spectra), heads[1].scores(embeddings)]
            for how, of in (
                ("explicit", scores[0]),
                ("implicit", scores[1]),
                ("both", scores[0] + scores[1]),
            ):
                for line, best in zip(lines, of.argmax(1), strict=True):
                    line[f"{how}:{name}"] = heads[0].names[int(best)]
        yield from lines
