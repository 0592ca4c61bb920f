"""From runs to ``models/``: the surrogates of both shields, and cards whose figures were measured.

python -m recipes.defence.export faces|voices
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from avdetect.defence.shield_models import FACE_ROLE, VOICE_ROLE, joined_state
from recipes.defence import measure_faces, measure_voices
from recipes.defence.face_crops import load_crops
from recipes.defence.settings import Settings, read_settings
from recipes.defence.train_identity import load_identity, verification
from recipes.defence.train_speakers import load_speaker
from recipes.defence.train_speakers import verification as speaker_verification
from recipes.defence.train_speakers import weights_path as speaker_path
from recipes.defence.voice_clips import SETS, load_voices
from recipes.export import export_checkpoint

FACES = "face_shield-identity_pair-talkingheads-202611"
VOICES = "voice_shield-speaker_pair-demos-202611"

_CAN_BE_UNDONE = (
    "A shield raises the cost of a forgery and never prevents one. Known counter-measures: "
    "purification by blur, denoising or a generative model; strong resizing or compression; "
    "training or tuning on shielded material; and any copy without a shield."
)
_HELPS = 0.05  # of likeness, the least that is worth a word
_FACE_LIMITS = (
    f"{_CAN_BE_UNDONE} Measured on small swappers of our own of {{side}} px that take a face's "
    "identity from one picture; published swappers were not at hand and are larger. Swappers that "
    "learn a person's decoder from many pictures, and animated portraits, were not measured. "
    "The change may be seen on smooth skin. {transfer}"
)
_VOICE_LIMITS = (
    f"{_CAN_BE_UNDONE} Measured on small speaker encoders of our own, as what they hear, not on "
    "what a voice cloner then says; published encoders and cloners were not at hand. At 25 dB the "
    "change may be heard as a noise under the voice."
)


def export_faces(settings: Settings) -> Path:
    """Write the face shield."""
    figures = _read(measure_faces.FIGURES)
    crops = load_crops()
    known = ~crops.held_out
    nets = {one.name: load_identity(one) for one in settings.surrogates}
    return export_checkpoint(
        FACES,
        role=FACE_ROLE,
        summary="Two identity encoders that pictures of faces are shielded from.",
        state=joined_state({name: net.state_dict() for name, net in nets.items()}),
        config={
            "surrogates": {one.name: _table(asdict(one.network)) for one in settings.surrogates}
        },
        facts={
            "training": {
                "command": "python -m recipes.defence.train_identity",
                "people": len(set(crops.people[known])),
                "pictures": int(known.sum()),
                "sources": sorted(set(crops.sources[known].tolist())),
                "held_out": "one known person in four, and whole sources where nobody is known",
                "caution": "people of the largest film source are estimated clusters, some mixed",
            },
            "measured": {"text": face_claims(figures)},
            "figures": figures,
            "verification": {
                one.name: verification(load_identity(one), crops)
                for one in (*settings.surrogates, *settings.unseen, settings.judge)
                if measure_faces.identity_is_trained(one)
            },
            "limits": {"text": _FACE_LIMITS.format(side=64, transfer=transfer_words(figures))},
        },
    )


def export_voices(settings: Settings) -> Path:
    """Write the voice shield."""
    figures = _read(measure_voices.FIGURES)
    voices = load_voices()
    nets = {one.name: load_speaker(one) for one in settings.speaker_surrogates}
    trained = [
        one
        for one in (*settings.speaker_surrogates, *settings.speaker_unseen)
        if speaker_path(one.name).is_file()
    ]
    return export_checkpoint(
        VOICES,
        role=VOICE_ROLE,
        summary="Two speaker encoders that recordings of voices are shielded from.",
        state=joined_state({name: net.state_dict() for name, net in nets.items()}),
        config={
            "surrogates": {one.name: asdict(one.network) for one in settings.speaker_surrogates}
        },
        facts={
            "training": {
                "command": "python -m recipes.defence.train_speakers",
                "data": [f"data/audio/{name}.csv" for name in SETS],
                "speakers": len(set(voices.speakers[~voices.held_out])),
                "clips": int((~voices.held_out).sum()),
                "held_out": "one speaker in four, by a hash of the name",
            },
            "measured": {"text": voice_claims(figures)},
            "figures": figures,
            "verification": {
                one.name: speaker_verification(load_speaker(one), voices) for one in trained
            },
            "limits": {"text": _VOICE_LIMITS},
        },
    )


def transfer_words(figures: Mapping[str, Any]) -> str:
    """Whether the shield is shown to help against swappers it never saw, at the stricter bound."""
    found = next(of for key, of in figures.items() if key.startswith("bound_"))
    swaps = [of["swap"] for of in found["unseen"].values() if "swap" in of]
    worst = min((swap["shield_lowers"]["mean_95"][0] for swap in swaps), default=0.0)
    if worst > _HELPS:
        return "It is shown to help against swappers it never saw."
    return "Against swappers it never saw it is not shown to help: treat it as an experiment."


def face_claims(figures: Mapping[str, Any]) -> list[str]:
    """What the figures say, in words, for whoever uses the shield."""
    bounds = [of for key, of in figures.items() if key.startswith("bound_")]
    return [line for of in bounds for line in _claims_at(of, str(figures["command"]))]


def _claims_at(figures: Mapping[str, Any], command: str) -> list[str]:
    lines = [
        f"{figures['picture_psnr_db']['n']} people not trained on, bound "
        f"{figures['asked_psnr_db']:g} dB PSNR in the face's square: {command}"
    ]
    for kind, word in (("surrogates", "it was made with"), ("unseen", "it never saw")):
        for name, of in figures[kind].items():
            vector = of["vector"]
            lines.append(
                f"Identity vector of an encoder {word} ({name}): cosine with the clean picture's "
                f"{_mean(vector['shield'])}, after JPEG 75 {_mean(vector['shield_jpeg_75'])}; "
                f"two strangers {_mean(vector['stranger'])}"
            )
            if "swap" in of:
                lines.append(_swap_claim(of["swap"], word, name))
    return lines


def voice_claims(figures: Mapping[str, Any]) -> list[str]:
    """Likewise for voices."""
    lines = [
        f"{figures['n_speakers']} speakers not trained on, bound {figures['asked_snr_db']:g} dB "
        f"SNR: {figures['command']}"
    ]
    for kind, word in (("surrogates", "it was made with"), ("unseen", "it never saw")):
        for name, of in figures[kind].items():
            parts = [
                f"{channel} {_mean(row['same_before'])} to {_mean(row['same_after'])}, EER "
                f"{row['eer_before']:.1%} to {row['eer_after']:.1%}"
                for channel, row in of.items()
            ]
            lines.append(
                f"Speaker encoder {word} ({name}), cosine with other recordings of the speaker, "
                f"others at {of['clean']['other']['mean']:.2f}: " + "; ".join(parts)
            )
    return lines


def _swap_claim(swap: Mapping[str, Any], word: str, name: str) -> str:
    lowered = swap["shield_lowers"]
    coded = swap["shield_jpeg_75_lowers"]
    return (
        f"Swap by a network {word} ({name}): likeness to the victim, as an independent judge sees "
        f"it, {_mean(swap['clean'])} falls by {_mean(lowered)}, after JPEG 75 by {_mean(coded)}; "
        f"a stranger's swap has {_mean(swap['stranger'])}"
    )


def _mean(figure: Mapping[str, Any]) -> str:
    low, high = figure["mean_95"]
    return f"{figure['mean']:.2f} [{low:.2f}, {high:.2f}]"


def _table(config: Mapping[str, Any]) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in config.items()}


def _read(path: Path) -> dict[str, Any]:
    figures: dict[str, Any] = _plain(json.loads(path.read_text("utf-8")))
    return figures


def _plain(value: Any) -> Any:
    """Without what a card cannot hold: None."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in value.items() if v is not None}
    if isinstance(value, np.generic):
        return value.item()
    return value


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("faces", "voices"))
    arguments = parser.parse_args()
    settings = read_settings()
    export = export_faces if arguments.what == "faces" else export_voices
    print(export(settings))


if __name__ == "__main__":
    main()
