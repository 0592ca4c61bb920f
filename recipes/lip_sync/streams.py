"""The streams that the recipe trains: our own small ones, or projections of an imported encoder."""

from __future__ import annotations

from typing import Any

from avdetect.branches.sync_encoders import build_encoder
from avdetect.checkpoint import load_checkpoint, read_card
from avdetect.errors import CheckpointError
from avdetect.nn.sync_encoder import NET_CROP_PX, SyncNet
from avdetect.nn.trained_state import trained_state
from avdetect.observation import MOUTH_CROP_PX
from recipes.lip_sync.settings import Settings


def network_config(settings: Settings) -> dict[str, Any]:
    """What `build_lip_sync` needs."""
    if settings.encoder_model is None:
        sizes = {"mouth_width": settings.mouth_width, "speech_width": settings.speech_width}
    else:
        sizes = read_card(settings.encoder_model).config
    return {**sizes, "embedding": settings.embedding, "head_width": settings.head_width}


def crop_px(settings: Settings) -> int:
    """Side of the mouth crops: an imported encoder has seen whole ones."""
    return NET_CROP_PX if settings.encoder_model is None else MOUTH_CROP_PX


def new_streams(settings: Settings) -> SyncNet:
    """Streams before training; an imported encoder within them is frozen.

    Raises:
        CheckpointError: if the encoder is absent, damaged, or no encoder for the lip-sync branch.
    """
    name = settings.encoder_model
    if name is None:
        return build_encoder(network_config(settings))
    state = load_checkpoint(name).state
    try:
        streams = build_encoder(network_config(settings))
        found = streams.load_state_dict(
            {key.removeprefix("encoder."): value for key, value in state.items()}, strict=False
        )
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise CheckpointError(
            f"encoder_model {name!r}: not an imported encoder: {error}"
        ) from error
    if found.unexpected_keys or set(found.missing_keys) & _frozen(streams):
        raise CheckpointError(f"encoder_model {name!r}: not an imported encoder, whole and alone")
    return streams


def _frozen(streams: SyncNet) -> set[str]:
    return streams.state_dict().keys() - trained_state(streams).keys()
