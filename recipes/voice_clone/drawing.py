"""The vocoder that the linear judge draws speech anew with.

It is one of `recipes/forge/neural`: it has heard human clips of the training folds, and no labels.
"""

from __future__ import annotations

from functools import lru_cache

from torch import Tensor

from avdetect.branches.voice_front_ends import redrawing_judge
from avdetect.checkpoint import list_checkpoints, load_checkpoint, read_bundle
from avdetect.errors import UsageError
from avdetect.nn.redrawing_judge import RedrawingJudge
from avdetect.speech.redrawn import N_REDRAWN
from recipes.forge.neural.istft_net import IstftVocoder
from recipes.forge.neural.vocoders import vocoder_named

_SHIPPED = "linear_judge."
_DRAWS = "vocoder."
_SHAPE = ("n_fft", "hop", "n_mels", "width", "n_blocks")


def unfitted_judge(vocoder: str) -> RedrawingJudge:
    """A judge that can draw and measure, but has learned nothing yet.

    Its vocoder is that of the shipped model where the name is the same, so that the procedure can
    be repeated without training a vocoder first; else one of the kept trainings.

    Args:
        vocoder: as `recipes.forge.neural.vocoders` names it.

    Raises:
        CheckpointError: there is no such vocoder.
        UsageError: it is of a kind that does not draw by inverse Fourier transform alone.
    """
    table, state = _drawing(vocoder)
    judge = redrawing_judge(table)
    judge.vocoder.load_state_dict(state)
    return judge.eval().requires_grad_(False)


@lru_cache(maxsize=1)
def _drawing(vocoder: str) -> tuple[dict[str, int], dict[str, Tensor]]:
    """The judge's table and its vocoder's weights; read once, for every fit begins with them."""
    name = read_bundle().checkpoints["voice_clone"]
    shipped = load_checkpoint(name) if name in list_checkpoints() else None  # none before the first
    if shipped is not None and shipped.card.facts.get("vocoder") == vocoder:
        table = shipped.card.config["linear_judge"]
        prefix = _SHIPPED + _DRAWS
        state = {k.removeprefix(prefix): v for k, v in shipped.state.items() if prefix in k}
    else:
        drawer = vocoder_named(vocoder)
        if not isinstance(drawer, IstftVocoder) or drawer.bottleneck is not None:
            raise UsageError(f"{vocoder}: the judge draws with istft vocoders without codebooks")
        table = {"n_numbers": N_REDRAWN}
        table |= {name: getattr(drawer.settings, name) for name in _SHAPE}
        state = dict(drawer.state_dict())
    return table, {key: tensor.float() for key, tensor in state.items()}
