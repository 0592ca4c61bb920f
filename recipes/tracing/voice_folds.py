"""Answers about voices by heads that never heard their speaker.

python -m recipes.tracing.voice_folds
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from avdetect.media.clip import open_clip
from avdetect.tracing.gather import gather
from avdetect.tracing.linear import LinearHead
from avdetect.tracing.matching import ExplicitMatcher, average_fingerprints
from avdetect.tracing.vocoders import HUMAN
from avdetect.tracing.voice_features import N_VOICE_FEATURES, clip_features
from avdetect.tracing.voices import voice_likeness
from eval.shared_data import shared_path
from eval.tracing.scores import VOICE_ANSWERS, VOICE_OPEN, VOICE_PAIRS, write_table
from eval.tracing.voices import N_FOLDS, TARGETS, VoiceRow, known_families, voice_rows
from recipes.tracing.ridge import fit_ridge
from recipes.tracing.settings import RUNS, read_settings

Features = NDArray[np.float32]
Line = dict[str, object]
_PAIRS_PER_FOLD = 100
_HUMAN_SHARE = 4  # one human clip in so many says enough about being known


def main() -> None:
    """Fit every fold, write both tables."""
    ridge = read_settings().voice.ridge
    rows, features = read_features(voice_rows())
    write_table(VOICE_ANSWERS, _all_answers(rows, features, ridge))
    write_table(VOICE_OPEN, _without_each(rows, features, ridge))
    write_table(VOICE_PAIRS, _pairs(rows, features, ridge))


def read_features(rows: Sequence[VoiceRow]) -> tuple[list[VoiceRow], Features]:
    """Rows with enough speech and their (N, D) features, computed once."""
    path = RUNS / "voice_features.npz"
    if path.is_file():
        kept = np.load(path)
        known = dict(zip(kept["ids"].tolist(), kept["features"], strict=True))
    else:
        known = {}
        for number, row in enumerate(rows, start=1):
            with open_clip(shared_path(f"data/audio/{row.id}")) as clip:
                found = clip_features(gather(clip, pictures=False).sound[0])
            if found is not None:
                known[row.id] = found[0]
            if number % 200 == 0:
                print(f"{number}/{len(rows)} clips measured", flush=True)
        RUNS.mkdir(parents=True, exist_ok=True)
        np.savez(path, ids=np.array(list(known)), features=np.stack(list(known.values())))
    used = [row for row in rows if row.id in known]
    return used, np.stack([known[row.id] for row in used]).reshape(len(used), N_VOICE_FEATURES)


def fit_families(
    rows: Sequence[VoiceRow], features: Features, target: str, names: Sequence[str], ridge: float
) -> LinearHead:
    """A head over families: families alike, and of one family rare generators count more."""
    labels = [str(row.families[target]) for row in rows]
    kinds = [
        (label, row.repo if label == HUMAN else row.generator)
        for label, row in zip(labels, rows, strict=True)
    ]
    counts = Counter(kinds)
    weights = np.array([counts[kind] ** -0.5 for kind in kinds])
    return fit_ridge(features, labels, names, ridge, weights)


def average_families(
    rows: Sequence[VoiceRow],
    features: Features,
    kept: NDArray[np.bool_],
    names: Sequence[str],
) -> ExplicitMatcher:
    """Mean features of families over the kept rows."""
    learn = kept & np.array([row.families["waveform"] in names for row in rows])
    labels = [
        str(row.families["waveform"]) for row, is_kept in zip(rows, learn, strict=True) if is_kept
    ]
    return average_fingerprints(features[learn], labels, names)


def _all_answers(rows: list[VoiceRow], features: Features, ridge: float) -> Iterator[Line]:
    for target in TARGETS:
        names = known_families(rows, target)
        for procedure, unit in (("speakers", "speaker"), ("repos", "repo")):
            said = _answers(rows, features, (target, unit), names, ridge)
            yield from _lines(rows, said, target, procedure)
        said = _answers(_shuffled(rows, target), features, (target, "speaker"), names, ridge)
        yield from _lines(rows, said, target, "shuffled")


def _lines(
    rows: Sequence[VoiceRow], said: Sequence[tuple[str, str]], target: str, procedure: str
) -> Iterator[Line]:
    """One line a clip whose family is known; of the many human clips some."""
    for number, (row, (best, best_fake)) in enumerate(zip(rows, said, strict=True)):
        truth = row.families[target]
        if truth is None or (truth == HUMAN and number % _HUMAN_SHARE):
            continue
        yield {
            "target": target,
            "procedure": procedure,
            "id": row.id,
            "speaker": row.speaker,
            "truth": truth,
            "said": best,
            "said_fake": best_fake,
        }


def _answers(
    rows: Sequence[VoiceRow],
    features: Features,
    asked: tuple[str, str],
    names: Sequence[str],
    ridge: float,
) -> list[tuple[str, str]]:
    """(N,) best family, and best one beside human, by heads without the clip's fold."""
    target, unit = asked
    said: list[tuple[str, str]] = [("", "")] * len(rows)
    for fold in range(N_FOLDS):
        held_out = np.array([row.folds[unit] == fold for row in rows])
        head = fit_known(rows, features, ~held_out, target, names, ridge)
        is_fake = np.array([name != HUMAN for name in head.names])
        for index, scores in zip(
            np.flatnonzero(held_out), head.scores(features[held_out]), strict=True
        ):
            fake = np.where(is_fake, scores, -np.inf)
            said[index] = head.names[int(scores.argmax())], head.names[int(fake.argmax())]
    return said


def fit_known(
    rows: Sequence[VoiceRow],
    features: Features,
    kept: NDArray[np.bool_],
    target: str,
    names: Sequence[str],
    ridge: float,
) -> LinearHead:
    """A head over those of ``names`` that occur among the kept rows."""
    learn = kept & np.array([row.families[target] in names for row in rows])
    learned = [row for row, is_kept in zip(rows, learn, strict=True) if is_kept]
    present = [name for name in names if any(row.families[target] == name for row in learned)]
    return fit_families(learned, features[learn], target, present, ridge)


def _without_each(rows: list[VoiceRow], features: Features, ridge: float) -> Iterator[Line]:
    """How strongly the best family speaks: for clips of a family nobody learned, and for others."""
    names = known_families(rows, "waveform")
    for left_out in names:
        if left_out == HUMAN:
            continue
        kept = [name for name in names if name != left_out]
        for fold in range(N_FOLDS):
            held_out = np.array([row.folds["speaker"] == fold for row in rows])
            head = fit_known(rows, features, ~held_out, "waveform", kept, ridge)
            explicit = average_families(rows, features, ~held_out, head.names)
            for index in np.flatnonzero(held_out):
                row = rows[index]
                family = row.families["waveform"]
                is_dull = family == HUMAN and index % _HUMAN_SHARE
                if family in names and not is_dull:
                    yield {
                        "without": left_out,
                        "id": row.id,
                        "speaker": row.speaker,
                        "truth": family,
                        "strength": float(head.scores(features[index : index + 1]).max()),
                        "novelty": float(explicit.novelty(features[index : index + 1])[0]),
                    }


def _pairs(rows: list[VoiceRow], features: Features, ridge: float) -> Iterator[Line]:
    """Pairs of fakes of one fold: two speakers by one generator, and by two generators."""
    names = known_families(rows, "waveform")
    for fold in range(N_FOLDS):
        learn = np.array([row.folds["speaker"] != fold for row in rows])
        head = fit_known(rows, features, learn, "waveform", names, ridge)
        explicit = average_families(rows, features, learn, head.names)
        asked = [i for i in np.flatnonzero(~learn) if rows[i].generator != HUMAN]
        likeness = voice_likeness(features[asked], explicit, head)
        kinds: dict[bool, list[tuple[int, int]]] = {True: [], False: []}
        for i, j in combinations(range(len(asked)), 2):
            one, other = rows[asked[i]], rows[asked[j]]
            if one.speaker != other.speaker:
                kinds[one.generator == other.generator].append((i, j))
        rng = np.random.default_rng(fold)
        for same, pairs in kinds.items():
            for i, j in (pairs[n] for n in rng.permutation(len(pairs))[:_PAIRS_PER_FOLD]):
                standard, scores = likeness[i, j].tolist()
                yield {
                    "fold": fold,
                    "same": int(same),
                    "same_repo": int(rows[asked[i]].repo == rows[asked[j]].repo),
                    "standard": standard,
                    "scores": scores,
                    "id": rows[asked[i]].id,
                    "speaker": rows[asked[i]].speaker,
                }


def _shuffled(rows: Sequence[VoiceRow], target: str) -> list[VoiceRow]:
    """Families exchanged between speakers and generators, so that neither gives them away."""
    units = sorted({(row.speaker, row.generator) for row in rows})
    of = {(row.speaker, row.generator): row for row in rows}
    order = np.random.default_rng(17).permutation(len(units))
    given = {unit: of[units[index]].families for unit, index in zip(units, order, strict=True)}
    return [
        VoiceRow(
            id=row.id,
            generator=row.generator,
            families=given[row.speaker, row.generator],
            speaker=row.speaker,
            repo=row.repo,
            folds=row.folds,
        )
        for row in rows
    ]


if __name__ == "__main__":
    main()
