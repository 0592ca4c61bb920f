"""A whole picture tracer for the makers of `made_sources`, its network untrained."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch

from avdetect.nn.fingerprint_network import FingerprintConfig, FingerprintTracer
from avdetect.tracing.matching import average_fingerprints
from avdetect.tracing.naming import Limits
from avdetect.tracing.picture_evidence import Matchers, measure, pair_similarities
from avdetect.tracing.pictures import PictureTracer
from eval.tracing.fusing import fit_pair
from recipes.tracing.ridge import fit_ridge
from tests.tracing.made_sources import MAKERS

N_LEARNED = 12


@lru_cache(maxsize=1)
def made_tracer() -> PictureTracer:
    torch.manual_seed(0)
    network = FingerprintTracer(FingerprintConfig(width=4, depth=1, n_sources=len(MAKERS))).eval()
    rng = np.random.default_rng(1)
    names = tuple(MAKERS)
    labels = [name for name in names for _ in range(N_LEARNED)]
    measured = [measure(network, [MAKERS[label](rng)]) for label in labels]
    spectra = np.stack([m.spectrum for m in measured])
    explicit = average_fingerprints(spectra, labels, names)
    pairs = [(i, j) for i in range(len(labels)) for j in range(i)]
    likeness = np.array([pair_similarities(measured[i], measured[j], explicit) for i, j in pairs])
    same = np.array([labels[i] == labels[j] for i, j in pairs])
    return PictureTracer(
        name="made-in-code",
        sources=names,
        matchers=Matchers(
            network=network, explicit=explicit, whitened=fit_ridge(spectra, labels, names, 0.3)
        ),
        weights=np.array([0.0, 4.0, 4.0], np.float32),
        limits=Limits(most_novelty=4.0, most_novelty_few=4.0, least_share=0.5),
        pair_weights=fit_pair(likeness, same),
        design={},
    )
