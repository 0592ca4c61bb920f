"""Figures of voice tracing, from the answers that the recipe wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np

from avdetect.tracing.vocoders import HUMAN
from eval.tracing.figures import balanced_share, pair_lines, separation, share
from eval.tracing.fusing import fit_pair
from eval.tracing.scores import VOICE_ANSWERS, VOICE_OPEN, VOICE_PAIRS, Row, number, read_table
from eval.tracing.voices import LEAST_SPEAKERS, TARGETS

_COLUMNS = ("target", "procedure", "id", "speaker", "truth", "said", "said_fake")
_OPEN_COLUMNS = ("without", "id", "speaker", "truth", "strength", "novelty")
_PAIR_COLUMNS = ("fold", "same", "same_repo", "standard", "scores", "speaker")
_TITLES = {
    "waveform": "what made the samples (kind of vocoder)",
    "system": "kind of system (the data's own column: tts, vc, vocoder, codec-lm)",
}
_PROCEDURES = {
    "speakers": "speakers not heard before",
    "repos": "repositories not heard before",
    "shuffled": "control: families shuffled",
}


def voice_lines() -> Iterator[str]:
    """The whole section, line by line."""
    answers = read_table(VOICE_ANSWERS, _COLUMNS)
    for target in TARGETS:
        yield f"Voices, {_TITLES[target]}"
        for procedure in _PROCEDURES:
            kept = [r for r in answers if (r["target"], r["procedure"]) == (target, procedure)]
            yield from _procedure_lines(kept, procedure)
    yield "Voices, a family nobody learned against the known ones"
    yield from _open_lines(read_table(VOICE_OPEN, _OPEN_COLUMNS))
    yield "Voices, one generator or two: pairs of held-out clips of two speakers"
    yield from _pair_lines(read_table(VOICE_PAIRS, _PAIR_COLUMNS))


def _procedure_lines(rows: list[Row], procedure: str) -> Iterator[str]:
    known = {row["said"] for row in rows}
    enough = Counter(truth for truth, _ in {(row["truth"], row["speaker"]) for row in rows})
    fakes = [
        row for row in rows if row["truth"] != HUMAN and enough[row["truth"]] >= LEAST_SPEAKERS
    ]
    classes = sorted({row["truth"] for row in fakes})
    chance, chance_fake = 1 / (len(classes) + 1), 1 / len(classes)
    truths, speakers = [r["truth"] for r in fakes], [r["speaker"] for r in fakes]
    with_human = balanced_share([r["said"] == r["truth"] for r in fakes], truths, speakers)
    among = balanced_share([r["said_fake"] == r["truth"] for r in fakes], truths, speakers)
    humans = [row for row in rows if row["truth"] == HUMAN]
    spared = share([r["said"] == HUMAN for r in humans], [r["speaker"] for r in humans])
    yield f"  {_PROCEDURES[procedure]}: {len(classes)} families {', '.join(classes)}"
    yield (
        f"    mean recall, human a candidate too  {with_human}  "
        f"= {with_human.value / chance:.1f} x chance ({chance:.3f})"
    )
    yield (
        f"    mean recall, given that it is fake  {among}  "
        f"= {among.value / chance_fake:.1f} x chance ({chance_fake:.3f})"
    )
    yield f"    human clips called human            {spared}"
    if procedure == "speakers":
        for name in sorted(known & set(classes)):
            own = [r for r in fakes if r["truth"] == name]
            found = share([r["said"] == name for r in own], [r["speaker"] for r in own])
            yield f"      {name:<16} {found}"


def _pair_lines(rows: list[Row]) -> Iterator[str]:
    """Odds of each fold by a regression on the others."""
    likeness = np.array(
        [[number(VOICE_PAIRS, row, name) for name in ("standard", "scores")] for row in rows]
    )
    same, fold = np.array([row["same"] == "1" for row in rows]), np.array([r["fold"] for r in rows])
    odds = np.empty(len(rows))
    for held_out in np.unique(fold):
        own = fold == held_out
        weights = fit_pair(likeness[~own], same[~own])
        odds[own] = likeness[own] @ weights[:-1] + weights[-1]
    speakers = [row["speaker"] for row in rows]
    yield from pair_lines(same, odds, speakers, "    ")
    within = np.array([row["same_repo"] == "1" for row in rows])
    yield "  the same, both clips from one repository"
    kept = [speakers[index] for index in np.flatnonzero(within)]
    yield from pair_lines(same[within], odds[within], kept, "    ")


def _open_lines(rows: list[Row]) -> Iterator[str]:
    for name in sorted({row["without"] for row in rows}):
        asked = [row for row in rows if row["without"] == name]
        is_known, speakers = [r["truth"] != name for r in asked], [r["speaker"] for r in asked]
        near = [-number(VOICE_OPEN, row, "novelty") for row in asked]
        strong = [number(VOICE_OPEN, row, "strength") for row in asked]
        yield f"    {name:<16} AUROC near to a family {separation(is_known, near, speakers)}"
        yield f"    {'':<16} AUROC best score       {separation(is_known, strong, speakers)}"
