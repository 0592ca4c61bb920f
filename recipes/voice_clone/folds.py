"""Train the voice procedure with each fold held out in turn, and keep the scores of what was.

python -m recipes.voice_clone.folds                    # retrain all, write the score file
python -m recipes.voice_clone.folds --fold diffusion   # one of them, written nowhere
python -m recipes.voice_clone.folds --check            # retrain all, compare with the score file

Procedures: ``pool`` holds out each fold of the protocol's pool and trains on the others;
``modern_unseen`` trains on the pool and holds out the newer generators; and
``modern_leave_source_out`` holds out each of their sources and trains on the pool and the others.

What is trained is the linear judge, which alone gives a clip its score. The vocoder that draws
speech for it is not trained anew: it has heard human clips of most folds, without labels (of
``vocoders`` and ``modern`` none).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from avdetect.errors import AvdetectError, UsageError
from eval.manifest.folds import fold_split
from eval.manifest.leaks import refuse_leaks
from eval.manifest.row import ManifestRow
from eval.out_of_fold import OutOfFold, read_out_of_fold
from eval.protocol import Protocol, read_protocol
from eval.run_facts import commit
from recipes.out_of_fold import POOL, config_sha256, with_llrs, write_out_of_fold
from recipes.voice_clone.calibration import level, out_of_fold_scores
from recipes.voice_clone.fold_figures import disagreements, figure_lines
from recipes.voice_clone.judge import fit, judge
from recipes.voice_clone.rows import PROTOCOL, measurable, voice_rows
from recipes.voice_clone.samples import ClipNumbers, clip_numbers
from recipes.voice_clone.settings import CONFIG, NUMBERS, JudgeSettings, read_settings

OUT_OF_FOLD = Path(__file__).resolve().parents[2] / "eval" / "results" / "voice" / "out_of_fold.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One fit: what it learns from, by which folds that is cut, and what it has not seen."""

    procedure: str
    fold: str
    protocol: Protocol
    others: list[str]
    training: list[ManifestRow]
    test: list[ManifestRow]


def turns(rows: Sequence[ManifestRow], protocol: Protocol) -> list[Turn]:
    """Every fit of every procedure.

    Raises:
        LeakError: training and test rows of a fit share what the protocol holds out.
    """
    pool = protocol.sets[POOL]
    found = [_turn(POOL, fold, pool, rows, protocol) for fold in pool]
    for name in (name for name in protocol.sets if name != POOL):
        found += [
            _turn(f"{name}_unseen", fold, pool, rows, protocol) for fold in protocol.sets[name]
        ]
        by_source = split_by_source(protocol, name)
        found += [
            _turn(f"{name}_leave_source_out", fold, by_source.folds, rows, by_source)
            for fold in by_source.sets[name]
        ]
    return found


def split_by_source(protocol: Protocol, name: str) -> Protocol:
    """The protocol with every source of one of its sets as a fold of its own."""
    sources = [source for fold in protocol.sets[name] for source in protocol.folds[fold]]
    kept = {k: v for k, v in protocol.folds.items() if k not in protocol.sets[name]}
    return replace(
        protocol,
        folds=kept | {source: (source,) for source in sources},
        sets={**protocol.sets, name: tuple(sources)},
        roles={},
    )


def _turn(
    procedure: str,
    fold: str,
    training_folds: Sequence[str] | Mapping[str, object],
    rows: Sequence[ManifestRow],
    protocol: Protocol,
) -> Turn:
    others = [other for other in training_folds if other != fold]
    training, test = fold_split(rows, protocol, fold, training_folds=others)
    name = f"{procedure} without {fold}"
    refuse_leaks([*training, *test], protocol.held_out, name=name)
    return Turn(
        procedure=procedure,
        fold=fold,
        protocol=protocol,
        others=others,
        training=training,
        test=test,
    )


def score_turn(
    turn: Turn, measured: Mapping[str, ClipNumbers], settings: JudgeSettings
) -> list[OutOfFold]:
    """Fit and level on the training rows, score the test rows as recorded."""
    head = fit(turn.training, measured, settings)
    level(head, out_of_fold_scores(turn.training, turn.protocol, measured, settings, turn.others))
    return [
        OutOfFold(
            procedure=turn.procedure,
            id=row.id,
            fold=turn.fold,
            score=judge(head, measured[row.id]),
        )
        for row in turn.test
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says.

    Attributes:
        config: settings of the judge.
        numbers: where the numbers of clips are kept.
        out: the score file.
        n_jobs: processes that measure clips.
        fold: only this fold or source; prints, writes nothing.
        check: compare with the score file instead of writing it.
    """

    config: Path = CONFIG
    numbers: Path = NUMBERS
    out: Path = OUT_OF_FOLD
    n_jobs: int = 1
    fold: str | None = None
    check: bool = False


def run(rows: Sequence[ManifestRow], protocol: Protocol, options: Options) -> int:
    """Train, score, print; returns the exit code, 1 if a check fails."""
    planned = turns(rows, protocol)
    chosen = [turn for turn in planned if options.fold in (None, turn.fold)]
    if not chosen:
        raise UsageError(f"no fold {options.fold!r}, only {', '.join(t.fold for t in planned)}")
    committed = read_out_of_fold(options.out) if options.check else []
    settings = read_settings(options.config).judge
    measured = clip_numbers(rows, options.numbers, settings.vocoder, n_jobs=options.n_jobs)
    truth = {row.id: row for row in rows}
    scored: list[OutOfFold] = []
    for turn in chosen:
        print(f"{turn.procedure} {turn.fold}: learns from {len(turn.training)} clips", flush=True)
        scored += score_turn(turn, measured, settings)
    if options.fold is None:
        scored = with_llrs(scored, truth)
    print("\n".join(figure_lines(scored, truth)))
    sha = config_sha256(protocol, asdict(settings))
    if options.check:
        found = disagreements(scored, committed, truth)
        if {e.config_sha256 for e in committed} != {sha}:
            found.insert(0, f"{options.out}: made with other settings or folds; write it anew")
        print("\n".join(found) or f"agrees with {options.out}")
        return int(bool(found))
    if options.fold is None:
        write_out_of_fold(options.out, scored, commit=commit(), config_sha256=sha)
    return 0


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=CONFIG)
    parser.add_argument("--out", type=Path, default=OUT_OF_FOLD, help="the score file")
    parser.add_argument("--jobs", type=int, default=1, help="processes that measure clips")
    either = parser.add_mutually_exclusive_group()
    either.add_argument("--fold", help="only this fold or source; prints, writes nothing")
    either.add_argument("--check", action="store_true", help="compare with the score file")
    given = parser.parse_args()
    torch.set_num_threads(1)
    options = Options(
        config=given.config, out=given.out, n_jobs=given.jobs, fold=given.fold, check=given.check
    )
    protocol = read_protocol(PROTOCOL)
    try:
        sys.exit(run(measurable(voice_rows(), protocol), protocol, options))
    except AvdetectError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
