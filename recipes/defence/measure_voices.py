"""What the voice shield is worth, on speaker encoders it was made with and on those it never saw.

Measured are clips of speakers nobody trained on. ``own`` is the cosine of a shielded clip and its
clean self; ``same`` that of a shielded clip and another clean recording of the speaker, as a
verifier compares them; ``other`` that of clean clips of two speakers, the floor. The EER is that of
verification, shielded clips against clean ones. ``before`` is the unshielded clip, likewise sent.

python -m recipes.defence.measure_voices [--clips 20]
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from avdetect.channels.codecs import through_codec
from avdetect.defence.fidelity import snr_db
from avdetect.defence.speaker_features import embed
from avdetect.defence.voice_shield import find_voice_change
from eval.metrics import eer
from recipes.defence.intervals import mean_figure
from recipes.defence.settings import RUNS, Settings, SpeakerSettings, read_settings
from recipes.defence.train_speakers import embed_all, load_speaker, weights_path
from recipes.defence.voice_clips import VoiceClips, load_voices

CHANNELS = ("clean", "ulaw", "opus_16", "mp3_32", "amr_12.2", "g722")
SNR_DB = 25.0
FIGURES = RUNS / "voice_figures.json"
_SEED = 2611

Waveforms = list[NDArray[np.float32]]


def measure_all(settings: Settings, n_clips: int, least_snr_db: float = SNR_DB) -> dict[str, Any]:
    """Every figure of the voice shield."""
    voices = load_voices()
    ids = choose_clips(voices, n_clips)
    plain = [voices.waveforms[i] for i in ids]
    encoders = [partial(embed, load_speaker(one)) for one in settings.speaker_surrogates]
    shielded, snrs = [], []
    for number, waveform in enumerate(plain):
        found = find_voice_change(
            waveform, encoders, least_snr_db=least_snr_db, seed=_SEED + 100 * number
        )
        changed = np.clip(waveform + found.change, -1.0, 1.0).astype(np.float32)
        shielded.append(changed)
        snrs.append(snr_db(waveform, changed))
        print(f"shielded {number + 1} of {len(ids)}", flush=True)
    known = [one for one in settings.speaker_surrogates if weights_path(one.name).is_file()]
    unseen = [one for one in settings.speaker_unseen if weights_path(one.name).is_file()]

    def of(networks: Sequence[SpeakerSettings]) -> dict[str, Any]:
        return {one.name: _measure(one, voices, ids, plain, shielded) for one in networks}

    return {
        "command": f"python -m recipes.defence.measure_voices --clips {n_clips}",
        "asked_snr_db": least_snr_db,
        "snr_db": mean_figure(np.array(snrs)),
        "n_speakers": len(set(voices.speakers[ids])),
        "surrogates": of(known),
        "unseen": of(unseen),
    }


def choose_clips(voices: VoiceClips, n_clips: int) -> NDArray[np.int64]:
    """One clip each of speakers held out who have another recording."""
    rng = np.random.default_rng(_SEED)
    chosen = []
    for name in rng.permutation(np.unique(voices.speakers[voices.held_out])):
        ids = np.flatnonzero(voices.speakers == name)
        if len(set(voices.recordings[ids])) >= 2:
            chosen.append(int(rng.choice(ids)))
    return np.array(chosen[:n_clips])


def _measure(
    one: SpeakerSettings,
    voices: VoiceClips,
    ids: NDArray[np.int64],
    plain: Waveforms,
    shielded: Waveforms,
) -> dict[str, Any]:
    net = load_speaker(one)
    pool = np.flatnonzero(np.isin(voices.speakers, voices.speakers[ids]))
    enrolled = embed_all(net, [voices.waveforms[i] for i in pool])
    clean = embed_all(net, plain)
    figures: dict[str, Any] = {}
    for channel in CHANNELS:
        unshielded = clean if channel == "clean" else embed_all(net, _sent(plain, channel))
        arrived = embed_all(net, shielded if channel == "clean" else _sent(shielded, channel))
        before = _against(unshielded, enrolled, voices, ids, pool)
        after = _against(arrived, enrolled, voices, ids, pool)
        figures[channel.replace(".", "_")] = {
            "own_before": mean_figure((clean * unshielded).sum(1)),
            "own_after": mean_figure((clean * arrived).sum(1)),
            "same_before": mean_figure(before["same"]),
            "same_after": mean_figure(after["same"]),
            "other": mean_figure(before["other"]),
            "same_lowered_by": mean_figure(before["same"] - after["same"]),
            "eer_before": before["eer"],
            "eer_after": after["eer"],
        }
    return figures


def _against(
    tested: NDArray[np.float64],
    enrolled: NDArray[np.float64],
    voices: VoiceClips,
    ids: NDArray[np.int64],
    pool: NDArray[np.int64],
) -> dict[str, Any]:
    """Mean cosine of each clip with the speaker's other recordings and with others; the EER."""
    cosines = tested @ enrolled.T
    same = voices.speakers[ids][:, None] == voices.speakers[pool][None]
    apart = voices.recordings[ids][:, None] != voices.recordings[pool][None]
    own, others = same & apart, ~same
    kept = own | others
    return {
        "same": np.array([row[mask].mean() for row, mask in zip(cosines, own, strict=True)]),
        "other": np.array([row[mask].mean() for row, mask in zip(cosines, others, strict=True)]),
        "eer": round(eer(~same[kept], -cosines[kept]), 3),
    }


def _sent(waveforms: Waveforms, channel: str) -> Waveforms:
    return [through_codec(waveform, channel) for waveform in waveforms]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=20)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    figures = measure_all(read_settings(), arguments.clips)
    FIGURES.write_text(json.dumps(figures, indent=1), "utf-8")
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
