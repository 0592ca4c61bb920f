"""Figures of picture tracing, from the scores that the recipe wrote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from avdetect.tracing.picture_evidence import KINDS
from avdetect.tracing.properties import CAMERA
from eval.tracing.figures import pair_lines, separation, share
from eval.tracing.fusing import KNOWN_KEPT, LEAST_SHARE, fit_pair, fuse
from eval.tracing.picture_table import (
    Scored,
    cross_fitted_logits,
    fitted_weights,
    read_scores,
)
from eval.tracing.pictures import EQUAL_QUALITY
from eval.tracing.scores import PICTURE_PAIRS, TILEWISE, Row, number, read_table

_CONDITIONS = {
    "native": "as stored",
    "crop_64": "cut to 64 px on the native grid",
    "crop_64_jpeg": "cut to 64 px, then one JPEG of random quality",
    "crop_128_jpeg": "cut to 128 px, then one JPEG of random quality",
    "resized_128_jpeg": "resized to 128 px, then one JPEG of random quality",
}
COMBINED = tuple(range(len(KINDS)))
_WAYS = {**{kind: (index,) for index, kind in enumerate(KINDS)}, "combined": COMBINED}


def picture_lines() -> Iterator[str]:
    """The whole section, line by line."""
    scored = read_scores("files")
    logits = cross_fitted_logits(scored, COMBINED)
    low, high = EQUAL_QUALITY
    yield "Pictures, known generators (three source files or more), held-out source files; groups"
    yield f"are source files; equalised: one side, JPEG quality {low} to {high - 1}"
    yield from _attribution_lines(scored)
    yield from _by_source_lines(scored, logits)
    yield from _side_lines(scored)
    yield from _tilewise_lines()
    yield from _control_lines()
    yield "Pictures, known against unknown (generators with fewer files, never learned from)"
    yield from _open_lines(scored, logits, "    ")
    yield "Pictures, what is named: novelty below the limit, and half of the probability"
    yield from _decision_lines(scored, logits)
    yield "Pictures, known against unknown: known generators, left out of training in two halves"
    yield from _left_out_lines()
    yield "Pictures, same source or not: pairs of held-out pictures"
    yield from _pair_lines()


def _attribution_lines(scored: Scored) -> Iterator[str]:
    for condition, words in _CONDITIONS.items():
        yield f"  {words}"
        kept = (scored.condition == condition) & scored.is_known
        made = kept & (scored.source != CAMERA)
        for way, kinds in _WAYS.items():
            logits = cross_fitted_logits(scored, kinds)
            right = _best(scored, logits) == scored.source
            taken = share(right[made], scored.file[made].tolist())
            camera = kept & ~made
            line = f"    {way:<12} top-1 {taken}"
            if way == "combined":
                line += f"  camera {share(right[camera], scored.file[camera].tolist())}"
            yield line


def _by_source_lines(scored: Scored, logits: NDArray[np.float64]) -> Iterator[str]:
    yield "  combined, source by source: as stored | cut to 128 px and JPEG"
    right = _best(scored, logits) == scored.source
    for name in scored.names:
        own = [
            share(right[kept], scored.file[kept].tolist())
            for condition in ("native", "crop_128_jpeg")
            for kept in [(scored.condition == condition) & (scored.source == name)]
        ]
        yield f"    {name:<28} {own[0]} | {own[1]}"


def _side_lines(scored: Scored) -> Iterator[str]:
    """What the size of the stored picture alone would tell: the commonest source of that size."""
    kept = scored.take((scored.condition == "native") & scored.is_known)
    said = np.empty(len(kept.source), object)
    for fold in np.unique(kept.fold):
        own = kept.fold == fold
        for side in np.unique(kept.side_px[own]):
            others = kept.source[~own & (kept.side_px == side)].tolist()
            common = Counter(others).most_common(1)
            said[own & (kept.side_px == side)] = common[0][0] if common else ""
    made = kept.source != CAMERA
    found = share((said == kept.source)[made], kept.file[made].tolist())
    yield f"  a table of picture sizes alone      {found}"


def _tilewise_lines() -> Iterator[str]:
    rows = read_table(TILEWISE, ("classes", "split", "source", "file", "said"))
    words = {
        ("known", "file"): "whitened alone, known sources, split by file",
        ("known", "picture"): "the same split by tile: NOT a held-out figure",
        ("all", "picture"): "all 30 generators split by tile: NOT a held-out figure",
    }
    for (classes, split), title in words.items():
        kept = [
            row
            for row in rows
            if (row["classes"], row["split"]) == (classes, split) and row["source"] != CAMERA
        ]
        found = share([r["said"] == r["source"] for r in kept], [r["file"] for r in kept])
        yield f"  {title:<56} {found}"


def _control_lines() -> Iterator[str]:
    scored = read_scores("shuffled")
    made = scored.source != CAMERA
    for way, kinds in _WAYS.items():
        weights = np.zeros(len(KINDS))
        weights[list(kinds)] = 1.0
        said = _best(scored, fuse(scored.evidence, weights))
        found = share((said == scored.source)[made], scored.file[made].tolist())
        yield f"  control, sources shuffled: {way:<12} {found} (chance {1 / len(scored.names):.3f})"


def _open_lines(scored: Scored, logits: NDArray[np.float64], indent: str) -> Iterator[str]:
    for condition in ("native", "crop_64", "crop_64_jpeg", "crop_128_jpeg"):
        kept = (scored.condition == condition) & (scored.source != CAMERA)
        if scored.is_known[kept].all():
            continue
        n = int((~scored.is_known[kept]).sum())
        yield f"{indent}{_CONDITIONS[condition]}: {n} unknown"
        for words, strength in (
            ("near to a fingerprint", -scored.novelty[kept]),
            ("best logit", logits[kept].max(1)),
        ):
            is_known, files = scored.is_known[kept].tolist(), scored.file[kept].tolist()
            found = separation(is_known, strength.tolist(), files)
            yield f"{indent}  AUROC {words:<22} {found}"


def _decision_lines(scored: Scored, logits: NDArray[np.float64]) -> Iterator[str]:
    """What is named by the rule that is shipped, its limits from the other folds."""
    shares = np.exp(logits - logits.max(1, keepdims=True))
    is_clear = 1.0 / shares.sum(1) >= LEAST_SHARE
    for condition in ("native", "crop_64", "crop_64_jpeg", "crop_128_jpeg"):
        own = scored.condition == condition
        limit = np.empty(len(own))
        for fold in np.unique(scored.fold):
            others = own & scored.is_known & (scored.fold != fold)
            limit[scored.fold == fold] = np.quantile(scored.novelty[others], KNOWN_KEPT)
        is_named = is_clear & (scored.novelty <= limit)
        right = is_named & (_best(scored, logits) == scored.source)
        made = own & scored.is_known & (scored.source != CAMERA)
        yield f"    {_CONDITIONS[condition]}"
        for words, hit, kept in (
            ("known generator, named rightly", right, made),
            ("known generator, named wrongly", is_named & ~right, made),
            ("photograph, a generator named", is_named & ~right, own & (scored.source == CAMERA)),
            ("unknown generator, called unknown", ~is_named, own & ~scored.is_known),
        ):
            if kept.any():
                yield f"      {words:<34} {share(hit[kept], scored.file[kept].tolist())}"


def _left_out_lines() -> Iterator[str]:
    for half in (0, 1):
        scored = read_scores("generators", half)
        yield f"  left out: {', '.join(sorted(set(scored.source[~scored.is_known].tolist())))}"
        weights = fitted_weights(read_scores("files"), COMBINED)
        yield from _open_lines(scored, fuse(scored.evidence, weights), "    ")


def _pair_lines() -> Iterator[str]:
    columns = ("condition", "fold", "kind", "same", "cosine", "correlation", "file")
    rows = read_table(PICTURE_PAIRS, columns)
    for condition in ("native", "crop_128_jpeg"):
        own = [row for row in rows if row["condition"] == condition]
        for kind, words in (
            ("known", "known generators, two source files"),
            ("stranger", "generators never seen (mostly tiles of one grid)"),
        ):
            kept = [row for row in own if row["kind"] == kind]
            if kept:
                yield from _pair_kind_lines(kept, own, f"{_CONDITIONS[condition]}: {words}")


def _pair_kind_lines(kept: list[Row], rows: list[Row], words: str) -> Iterator[str]:
    odds = np.empty(len(kept))
    for fold in {row["fold"] for row in kept}:
        others = [row for row in rows if row["fold"] != fold and row["kind"] == "known"]
        weights = fit_pair(pair_likeness(others), _same(others))
        own = np.array([row["fold"] == fold for row in kept])
        asked = [row for row in kept if row["fold"] == fold]
        odds[own] = pair_likeness(asked) @ weights[:-1] + weights[-1]
    yield f"    {words}"
    yield from pair_lines(_same(kept), odds, [row["file"] for row in kept], "      ")


def pair_likeness(rows: list[Row]) -> NDArray[np.float64]:
    """(N, 2) cosine and correlation of pairs in the table."""
    return np.array(
        [[number(PICTURE_PAIRS, row, name) for name in ("cosine", "correlation")] for row in rows]
    )


def _same(rows: list[Row]) -> NDArray[np.bool_]:
    return np.array([row["same"] == "1" for row in rows])


def _best(scored: Scored, logits: NDArray[np.float64]) -> NDArray[np.str_]:
    best: NDArray[np.str_] = np.asarray(scored.names)[logits.argmax(1)]
    return best
