"""What the similarity to a reference voice is worth, with the speaker model of the user's choice.

Human clips of the speech folder are enrolled as ``--reference`` enrols them and compared with other
clips of the same person and of others, on the line they came by and behind telephone codecs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from avdetect.channels.codecs import Waveform, through_codec
from avdetect.media.clip import AudioChunk, open_clip
from avdetect.reference import LEAST_SPEECH_S, enrol
from avdetect.speech.speaker import SpeakerModel, cosine
from avdetect.timebase import SAMPLE_RATE_HZ
from eval.bootstrap import bootstrap_intervals
from eval.datasets import demo_voices
from eval.errors import ManifestError
from eval.manifest.row import ManifestRow
from eval.metrics import auc, eer
from eval.shared_data import shared_path, shared_root

AS_RECORDED = "as recorded"
MOST_CLIPS = 3  # of one speaker, or a few would make most of the pairs


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """One clip's voice.

    Attributes:
        speaker: who speaks, or whose voice was cloned.
        source: repository that the clip comes from.
        fake: whether the clip is synthetic.
        embedding: (D,) of its speech.
    """

    speaker: str
    source: str
    fake: bool
    embedding: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A reference of a speaker and a clip held against it, of one of `KINDS`."""

    kind: str
    speaker: str
    similarity: float


KINDS = {
    "same": "another clip of the person",
    "clone": "a clone of the person",
    "other": "another person",
    "room": "another person, same source",
}


def reference_table(model: SpeakerModel, lines: Sequence[str]) -> Iterator[str]:
    """Lines of a Markdown table: references as recorded, clips behind each line.

    Args:
        model: embeds the voices.
        lines: names of `through_codec`, beside the clips as they were recorded.

    Raises:
        DataNotFoundError: the data folder is not there.
        ManifestError: fewer than two speakers have two clips with enough speech.
    """
    rows = chosen_rows(demo_voices.read(shared_root()))
    references = voices(rows, model, AS_RECORDED)
    yield "| clips came by | against | pairs | similarity, median [5 %, 95 %] | told apart |"
    yield "|---|---|---|---|---|"
    for line in (AS_RECORDED, *lines):
        heard = references if line == AS_RECORDED else voices(rows, model, line)
        pairs = pairs_of(references, heard)
        apart = told_apart(pairs)
        for kind, title in KINDS.items():
            found = [p.similarity for p in pairs if p.kind == kind]
            if found:
                low, middle, high = np.percentile(found, (5, 50, 95))
                spread = f"{middle:.2f} [{low:.2f}, {high:.2f}]"
                yield f"| {line} | {title} | {len(found)} | {spread} | {apart.get(kind, '')} |"


def chosen_rows(rows: Sequence[ManifestRow]) -> list[ManifestRow]:
    """Clips of named speakers: at most `MOST_CLIPS` human ones, and of clones as many."""
    kept: dict[tuple[str, bool], list[ManifestRow]] = {}
    for row in rows:
        if row.speaker:
            kept.setdefault((row.speaker, _is_fake(row)), []).append(row)
    humans = {speaker for (speaker, fake), found in kept.items() if not fake and len(found) > 1}
    return [
        row
        for (speaker, _), found in sorted(kept.items())
        if speaker in humans
        for row in found[:MOST_CLIPS]
    ]


def voices(rows: Sequence[ManifestRow], model: SpeakerModel, line: str) -> dict[str, Voice]:
    """Voices of clips by id, enrolled as a user's reference is; too little speech drops out."""
    found = {}
    for row in rows:
        sound = _sound(shared_path(row.path))
        if line != AS_RECORDED:
            sound = through_codec(sound, line)
        voice = enrol((sound, SAMPLE_RATE_HZ), model)
        if voice.embedding is not None:
            found[row.id] = Voice(
                speaker=row.speaker,
                source=row.source,
                fake=_is_fake(row),
                embedding=voice.embedding,
            )
    return found


def pairs_of(references: dict[str, Voice], heard: dict[str, Voice]) -> list[Pair]:
    """Every human reference against every other clip once.

    Raises:
        ManifestError: no person has two human clips, or there is only one person.
    """
    pairs = []
    for one, other in combinations(sorted(references), 2):
        for first, second in ((one, other), (other, one)):
            if second in heard and not references[first].fake:
                pairs.append(_pair(references[first], heard[second]))
                break
    if {"same", "other"} - {pair.kind for pair in pairs}:
        raise ManifestError(
            f"no pairs of one person and of two with {LEAST_SPEECH_S:.0f} s of speech: "
            "check the data folder"
        )
    return pairs


def _pair(reference: Voice, heard: Voice) -> Pair:
    if reference.speaker == heard.speaker:
        kind = "clone" if heard.fake else "same"
    else:
        kind = "room" if reference.source == heard.source else "other"
    similarity = cosine(reference.embedding, heard.embedding)
    return Pair(kind=kind, speaker=reference.speaker, similarity=similarity)


def told_apart(pairs: Sequence[Pair]) -> dict[str, str]:
    """AUC and EER of the person's own clips against each other kind, intervals by speaker."""
    own = [pair for pair in pairs if pair.kind == "same"]
    told = {}
    for kind in ("clone", "other", "room"):
        against = [pair for pair in pairs if pair.kind == kind]
        if against:
            both = [*own, *against]
            labels = [int(pair.kind != "same") for pair in both]
            scores = [-pair.similarity for pair in both]
            found = bootstrap_intervals(
                {"auc": auc, "eer": eer}, labels, scores, [pair.speaker for pair in both]
            )
            told[kind] = (
                f"AUC {auc(labels, scores):.3f} [{found['auc'][0]:.3f}, {found['auc'][1]:.3f}], "
                f"EER {eer(labels, scores):.1%} [{found['eer'][0]:.1%}, {found['eer'][1]:.1%}]"
            )
    return told


def _sound(path: Path) -> Waveform:
    with open_clip(path) as clip:
        chunks = clip.chunks(want_video=False)
        return np.concatenate([c.waveform[0] for c in chunks if isinstance(c, AudioChunk)])


def _is_fake(row: ManifestRow) -> bool:
    return row.label == "fake"
