"""The small network that tells histories of codecs apart by their traces."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.histories import FAMILIES, FILES, LINEAR
from avdetect.checkpoint import Checkpoint, list_checkpoints, load_checkpoint, models_dir
from avdetect.cues.codec_traces import LATTICES, N_TRACES
from avdetect.errors import CheckpointError

CHECKPOINT = "codec_history-mlp-made-202611"
ROLE = "codec_history"
NAMES = (LINEAR, *FAMILIES)  # of a codec: order of the network's outputs
CONTAINERS = (LINEAR, *FILES)  # of the file at hand: order of the network's extra inputs
_FARTHEST = 4.0  # deviations: traces beyond are cut
_ON_STEPS, _APART = 0.75, 0.12  # of the distance at random, 1.0
_RULED_OUT = 6.0  # natural-log units

# Names of decoders, as `avdetect.types.StreamInfo` has them, of files whose codec loses something.
_DECODERS = {
    "pcm_mulaw": "ulaw",
    "pcm_alaw": "alaw",
    "amrnb": "amr",
    "libopencore_amrnb": "amr",
    "opus": "opus",
    "libopus": "opus",
    "mp3": "mp3",
    "mp3float": "mp3",
    "aac": "aac",
    "aac_fixed": "aac",
}
_LOSSLESS = frozenset({"flac", "alac", "wavpack", "tta", "ape", "shorten", "truehd"})

Reals = NDArray[np.float64]


def container_family(codec: str) -> str | None:
    """Family of a file's own codec, `LINEAR` for one without loss, None for one not learned."""
    if codec in _DECODERS:
        return _DECODERS[codec]
    return LINEAR if codec in _LOSSLESS or codec.startswith("pcm_") else None


def allowed(container: str) -> NDArray[np.bool_]:
    """(F, L) which pairs of first and last codec a container leaves possible, as in `NAMES`.

    A file in a codec's own container names the last codec itself; where there was no last codec
    there was no first one.
    """
    possible = np.zeros((len(NAMES), len(NAMES)), bool)
    if container != LINEAR:
        possible[:, NAMES.index(container)] = True
        return possible
    possible[:, 1:] = True
    possible[0, 0] = True
    return possible


def inputs_of(traces: NDArray[np.float32], container: str, mean: Reals, deviation: Reals) -> Reals:
    """(`N_TRACES` + containers,) standardised traces, then which container it is."""
    away = np.clip((traces - mean) / deviation, -_FARTHEST, _FARTHEST)
    return np.concatenate([away, [float(container == name) for name in CONTAINERS]])


def law_on_steps(traces: NDArray[np.float32]) -> Reals:
    """(L,) what is added to the last codec's logits: on one law's steps is not on the other's.

    A rule and no weight: untouched samples of G.711 prove their law by arithmetic.
    """
    mu_law, a_law = traces[LATTICES].tolist()
    added = np.zeros(len(NAMES))
    if min(mu_law, a_law) < _ON_STEPS and abs(mu_law - a_law) > _APART:
        added[NAMES.index("alaw" if mu_law < a_law else "ulaw")] = -_RULED_OUT
    return added


@dataclass(frozen=True, slots=True)
class CodecModel:
    """One hidden layer, and two sets of outputs whose sums are a pair's logit.

    Attributes:
        mean, deviation: (`N_TRACES`,) of the traces.
        hidden, hidden_offset: (H, `N_TRACES` + containers), (H,).
        first, first_offset: (F, H), (F,) of the codec before the last.
        last, last_offset: (L, H), (L,) of the last codec.
        sure: least probability at which a history is named.
    """

    mean: Reals
    deviation: Reals
    hidden: Reals
    hidden_offset: Reals
    first: Reals
    first_offset: Reals
    last: Reals
    last_offset: Reals
    sure: float

    def log_probabilities(self, traces: NDArray[np.float32], container: str) -> Reals:
        """(F, L) natural-log probability of each pair as in `NAMES`; -inf where not possible."""
        given = inputs_of(traces, container, self.mean, self.deviation)
        active = np.maximum(self.hidden @ given + self.hidden_offset, 0.0)
        first = self.first @ active + self.first_offset
        last = self.last @ active + self.last_offset
        if container == LINEAR:
            last = last + law_on_steps(traces)
        logits = np.where(allowed(container), first[:, None] + last, -np.inf)
        return np.asarray(logits - np.logaddexp.reduce(logits, axis=None))


def read_model(checkpoint: Checkpoint) -> CodecModel:
    """The network of a checkpoint.

    Raises:
        CheckpointError: of another role, or learned from other traces or codecs.
    """
    card = checkpoint.card
    learned = (card.config.get("names"), card.config.get("containers"))
    if card.role != ROLE or learned != (list(NAMES), list(CONTAINERS)):
        raise CheckpointError(
            f"{card.name}: knows other codecs than this version; train it anew with "
            "python -m recipes.codec_history.train"
        )
    try:
        arrays = {name: t.double().numpy() for name, t in checkpoint.state.items()}
        model = CodecModel(**arrays, sure=float(card.config["sure"]))
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{card.name}: not a network of codec histories") from error
    if model.mean.shape != (N_TRACES,):
        raise CheckpointError(f"{card.name}: learned other traces; train it anew")
    return model


def shipped_model() -> CodecModel | None:
    """The network that the cue uses, read once; None where the models at hand do not hold it.

    Raises:
        CheckpointError: it is there and damaged, or of another version.
    """
    return _model_in(models_dir()) if CHECKPOINT in list_checkpoints() else None


@lru_cache(maxsize=4)
def _model_in(folder: Path) -> CodecModel:
    """That of one folder of models, which `load_checkpoint` reads from too."""
    return read_model(load_checkpoint(CHECKPOINT))
