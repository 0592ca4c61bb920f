"""The shipped shields: the networks that pictures and voices are shielded from, and their cards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from avdetect.checkpoint import Checkpoint, list_checkpoints, load_checkpoint, read_card
from avdetect.errors import CheckpointError
from avdetect.nn.identity_encoder import IdentityConfig, IdentityEncoder
from avdetect.nn.speaker_encoder import SpeakerConfig, SpeakerEncoder

if TYPE_CHECKING:
    from torch import Tensor

FACE_ROLE, VOICE_ROLE = "face_shield", "voice_shield"


@dataclass(frozen=True, slots=True)
class Shield:
    """Where a shield comes from and what was measured of it.

    Attributes:
        name: of the checkpoint.
        summary: its card's sentence.
        claims: its card's ``[measured] text``, one finding each; shown to whoever uses it.
        limits: its card's ``[limits] text``.
    """

    name: str
    summary: str
    claims: tuple[str, ...]
    limits: str


def find_shield(role: str) -> str:
    """Name of the one checkpoint of a role.

    Raises:
        CheckpointError: there is none, or more than one.
    """
    names = [name for name in list_checkpoints() if read_card(name).role == role]
    if len(names) == 1:
        return names[0]
    found = f"several ({', '.join(names)}); name one with --model" if names else "none"
    raise CheckpointError(f"models of role {role}: {found}; restore the models folder")


def load_identities(name: str) -> tuple[list[IdentityEncoder], Shield]:
    """The identity encoders of a face shield.

    Raises:
        CheckpointError: absent, damaged, or of another role.
    """
    checkpoint = _load(name, FACE_ROLE)
    nets = [
        IdentityEncoder(IdentityConfig.from_table(table))
        for table in checkpoint.card.config["surrogates"].values()
    ]
    return _filled(nets, checkpoint), shield_of(checkpoint.card.name, checkpoint.card.facts)


def load_speakers(name: str) -> tuple[list[SpeakerEncoder], Shield]:
    """The speaker encoders of a voice shield; raises as `load_identities`."""
    checkpoint = _load(name, VOICE_ROLE)
    nets = [
        SpeakerEncoder(SpeakerConfig.from_table(table))
        for table in checkpoint.card.config["surrogates"].values()
    ]
    return _filled(nets, checkpoint), shield_of(checkpoint.card.name, checkpoint.card.facts)


def shield_of(name: str, facts: Mapping[str, Any]) -> Shield:
    """What a card tells a user."""
    return Shield(
        name=name,
        summary=str(facts.get("summary", "")),
        claims=tuple(str(line) for line in facts.get("measured", {}).get("text", ())),
        limits=str(facts.get("limits", {}).get("text", "")),
    )


def joined_state(states: Mapping[str, Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """States of several networks as one, under their names."""
    return {f"{name}.{key}": value for name, part in states.items() for key, value in part.items()}


def _load(name: str, role: str) -> Checkpoint:
    checkpoint = load_checkpoint(name)
    if checkpoint.card.role != role:
        raise CheckpointError(f"{name}: is a {checkpoint.card.role} model, not a {role}")
    return checkpoint


def _filled(nets: list[Any], checkpoint: Checkpoint) -> list[Any]:
    for net, prefix in zip(nets, checkpoint.card.config["surrogates"], strict=True):
        state = {
            key.removeprefix(f"{prefix}."): value
            for key, value in checkpoint.state.items()
            if key.startswith(f"{prefix}.")
        }
        try:
            net.load_state_dict(state)
        except RuntimeError as error:
            text = str(error).splitlines()[0]
            raise CheckpointError(
                f"{checkpoint.card.name}: weights and card differ: {text}"
            ) from error
        net.eval().requires_grad_(False)
    return nets
