from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from avdetect.media.clip import open_clip
from avdetect.speech.speaker import SpeakerModel
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from eval.reference_figures import (
    AS_RECORDED,
    MOST_CLIPS,
    Voice,
    chosen_rows,
    pairs_of,
    told_apart,
    voices,
)
from tests.paths import SAMPLES
from tests.speech.test_speaker import save_speaker_model
from tests.synth import Sound, encode


def row(name: str, speaker: str, label: str = "real", source: str = "a") -> ManifestRow:
    return ManifestRow(
        id=name, path=f"data/audio/{name}", label=label, speaker=speaker, source=source
    )


def voice(speaker: str, angle: float, *, source: str = "a", fake: bool = False) -> Voice:
    embedding = np.array([np.cos(angle), np.sin(angle)])
    return Voice(speaker=speaker, source=source, fake=fake, embedding=embedding)


KNOWN = {
    "ann 1": voice("ann", 0.0),
    "ann 2": voice("ann", 0.1),
    "ann cloned": voice("ann", 0.2, fake=True),
    "bob 1": voice("bob", 1.2),
    "bob 2": voice("bob", 1.3),
    "eve": voice("eve", -1.5, source="b"),
}


def test_speakers_with_one_clip_or_no_name_are_left_out_and_nobody_has_too_many() -> None:
    many = [row(f"{k}.flac", "ann") for k in range(5)]
    clone = row("clone.flac", "ann", "fake")
    chosen = chosen_rows([*many, clone, row("x.flac", "bob"), row("y.flac", ""), row("z.flac", "")])
    assert chosen == [*many[:MOST_CLIPS], clone]


def test_pairs_are_of_the_person_of_clones_and_of_others_near_and_far() -> None:
    kinds = [pair.kind for pair in pairs_of(KNOWN, KNOWN)]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {
        "same": 2,
        "clone": 2,
        "room": 4 + 2,  # of ann's and bob's clips, and of bob's against the clone of ann
        "other": 4 + 1,  # eve against humans, and against the clone
    }


def test_a_clone_is_never_a_reference() -> None:
    alone = {"ann 1": KNOWN["ann 1"], "ann 2": KNOWN["ann 2"], "eve": KNOWN["eve"]}
    both = alone | {"eve cloned": voice("eve", 0.0, source="b", fake=True)}
    added = [p for p in pairs_of(both, both) if p not in pairs_of(alone, alone)]
    assert [p.speaker for p in added if p.kind == "clone"] == ["eve"]
    assert {p.speaker for p in added if p.kind == "other"} == {"ann"}


def test_higher_similarity_means_the_person() -> None:
    told = told_apart(pairs_of(KNOWN, KNOWN))
    assert told["other"].startswith("AUC 1.000")
    turned = dict(KNOWN) | {"ann 2": voice("ann", 3.1), "bob 2": voice("bob", -1.9)}
    assert told_apart(pairs_of(turned, turned))["other"].startswith("AUC 0.")


def test_one_person_alone_measures_nothing() -> None:
    alone = {name: KNOWN[name] for name in ("ann 1", "ann 2")}
    with pytest.raises(ManifestError, match="of one person and of two"):
        pairs_of(alone, alone)


def test_clips_are_heard_as_a_users_reference_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AVDETECT_DATA", str(tmp_path))
    folder = tmp_path / "data" / "audio"
    folder.mkdir(parents=True)
    with open_clip(SAMPLES / "call_synthetic.wav") as clip:
        call = np.concatenate([chunk.waveform[0] for chunk in clip.chunks()])
    encode(folder / "long.flac", sound=Sound(samples=call[:160_000], codec="flac"))
    encode(folder / "short.flac", sound=Sound(samples=call[:24_000], codec="flac"))
    rows = [row("long.flac", "ann"), row("short.flac", "ann")]
    model = SpeakerModel.load(save_speaker_model(tmp_path / "ecapa"), torch.device("cpu"))

    as_recorded, by_phone = (voices(rows, model, line) for line in (AS_RECORDED, "ulaw"))

    assert set(as_recorded) == set(by_phone) == {"long.flac"}  # the other has too little speech
    there, here = (found["long.flac"].embedding for found in (as_recorded, by_phone))
    assert not np.allclose(there, here)
