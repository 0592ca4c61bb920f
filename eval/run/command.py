"""``python -m eval run``: scan what a protocol measures, keep every verdict, print the tables."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from avdetect.channels.levels import Level
from avdetect.errors import DataNotFoundError
from eval import run_facts
from eval.cut import cut
from eval.errors import ScoresError
from eval.manifest.row import ManifestRow
from eval.peers import Peer, read_peers
from eval.protocol import Protocol, read_protocol
from eval.robustness import LEVELS, degraded_file, levels_named
from eval.run.clips import Clips, read_clips, run_fingerprint, spread
from eval.run.contenders import Contender, peer_contenders, procedure_contenders
from eval.run.files import clean_file, segment_of
from eval.run.plots import write_plots
from eval.run.record import Scored, figures, file_sha256, populations, record, write_record
from eval.run.scan import SCORES, SEGMENTS, MakeFile, Scanner, Store, Task, scan, todo
from eval.run.store import (
    CLEAN,
    Key,
    RunLabels,
    ScoreRow,
    read_scores,
    refuse_other_model,
    refuse_other_protocol,
    refuse_unknown_ids,
)
from eval.run.stretches import read_located
from eval.run.tables import run_tables
from eval.shared_data import shared_root

RESULTS = Path(__file__).resolve().parents[1] / "results"
OUT_OF_FOLD, RECORD = "out_of_fold.csv", "results.json"
_FACTS = ("model", "versions", "device", "machine", "system")
_SEED = 0  # of everything that a degradation draws


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One run.

    Attributes:
        protocol: name below ``eval/protocols`` or path.
        data: data root, None for the one of ``$AVDETECT_DATA``.
        model: bundle name or file.
        out: folder of results, None for ``eval/results``; the protocol's name is a folder in it.
        levels: of degradation, as of `eval.robustness.levels_named`; empty for none.
        limit: only so many clips, spread evenly; None for all.
        jobs: threads that scan at the same time.
        device: ``auto``, ``cpu`` or ``cuda``.
        fresh: throw away what the score file holds.
        partial: print an unfinished run, marked so.
        peers: folders or files of further ``id,score,direction`` scores.
        draws: of the bootstrap.
        plots: write them.
    """

    protocol: str
    data: Path | None = None
    model: str = "default"
    out: Path | None = None
    levels: str = ""
    limit: int | None = None
    jobs: int = 1
    device: str = "auto"
    fresh: bool = False
    partial: bool = False
    peers: Sequence[Path] = field(default_factory=tuple)
    draws: int = 1000
    plots: bool = True

    @property
    def root(self) -> Path:
        """Where the data lies; raises `DataNotFoundError` if it does not."""
        root = self.data if self.data is not None else shared_root()
        if not root.is_dir():
            raise DataNotFoundError(f"{root} is not a folder: name the data root with --data")
        return root


class Run:
    """One protocol, its clips and its result folder; leaks are refused when it is made."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.protocol: Protocol = read_protocol(options.protocol)
        self.clips: Clips = read_clips(self.protocol, options.root)
        self.rows = spread(self.clips.measured, options.limit)
        self.levels: Mapping[str, Level] = {
            level.name: level
            for level in (levels_named(options.levels) if options.levels else ())
            if level.name != CLEAN and _touches(level, self.rows)
        }
        out = options.out if options.out is not None else RESULTS
        self.folder = out / self.protocol.name
        self.peers: list[Contender] = self._peers()  # a bad file is told before hours of scanning

    def scan(self, scanner: Scanner | None = None) -> dict[str, Any]:
        """Scan what the score file lacks; returns the facts of the machine and model.

        Args:
            scanner: the detector; None loads the bundle that the options name, if it is needed.
        """
        options = self.options
        model = self._model_facts()
        labels = RunLabels(
            model=model["fingerprint"],
            commit=run_facts.commit(),
            protocol=run_fingerprint(self.protocol, self.clips.measured),
        )
        if options.fresh and scanner is None:
            scanner = _load(options)  # before old rows go: it may fail
        store = Store(self.folder, labels)
        store.open((row.id for row in self.clips.measured), fresh=options.fresh)
        tasks = todo(store, self._tasks())
        if not tasks:
            return self._old_facts({labels.model}) or self._facts(model, options.device)
        scanner = scanner if scanner is not None else _load(options)
        scan(scanner, tasks, options.root, store, jobs=options.jobs)
        return self._facts(model, str(getattr(scanner, "device", options.device)))

    def result(self, facts: dict[str, Any] | None = None) -> dict[str, Any]:
        """The record of the scores on disk.

        Args:
            facts: from `scan`; None takes those of the record that is there.

        Raises:
            ScoresError: an id is missing and ``partial`` is not set, one is not in the manifest, or
                other weights made the scores than the facts name.
        """
        scored = self._scored()
        known = facts or self._old_facts({row.model for row in scored.scores.values()})
        if known is None:
            known = self._facts(self._model_facts(), self.options.device)
        refuse_other_model(self.folder / SCORES, scored.scores, known["model"]["fingerprint"])
        found = figures(scored, n_draws=self.options.draws)
        out_of_fold = {"out_of_fold_sha256": file_sha256(self.folder / OUT_OF_FOLD)}
        return record(scored, found, known | out_of_fold)

    def finish(self, entry: dict[str, Any]) -> None:
        """Write the record, and the plots if they are wanted."""
        write_record(self.folder / RECORD, entry)
        if self.options.plots:
            for population in populations(self._scored()):
                write_plots(self.folder / "plots", population.rows, population.contenders)

    def _tasks(self) -> list[Task]:
        root = self.options.root
        clean: MakeFile = lambda row, folder: clean_file(row, root, folder)  # noqa: E731
        return [
            Task(level=CLEAN, rows=self.rows, make=clean),
            *(
                Task(level=name, rows=self.rows, make=_degrade(root, level))
                for name, level in self.levels.items()
            ),
        ]

    def _scored(self) -> Scored:
        path = self.folder / SCORES
        scores = read_scores(path)
        refuse_unknown_ids(path, scores, (row.id for row in self.clips.measured))
        refuse_other_protocol(path, scores, run_fingerprint(self.protocol, self.clips.measured))
        rows = self._complete_rows(path, scores)
        return Scored(
            protocol=self.protocol,
            clips=self.clips,
            rows=rows,
            scores=scores,
            located=read_located(self.folder / SEGMENTS),
            levels={
                name: level
                for name, level in LEVELS.items()
                if name != CLEAN and all((row.id, name) in scores for row in rows)
            },
            peers=self.peers,
            procedures=procedure_contenders(
                self.folder / OUT_OF_FOLD, self.protocol, self.clips.rows
            ),
        )

    def _complete_rows(self, path: Path, scores: Mapping[Key, ScoreRow]) -> list[ManifestRow]:
        names = (CLEAN, *self.levels)
        lacking = [
            (row.id, name) for row in self.rows for name in names if (row.id, name) not in scores
        ]
        if lacking and not self.options.partial:
            raise ScoresError(
                f"{path}: lacks {len(lacking)} scores of {len(self.rows) * len(names)}, such as "
                f"{lacking[0][0]!r} at level {lacking[0][1]}; go on with the run, or print what is "
                "there with --partial"
            )
        without = {clip_id for clip_id, _ in lacking}
        return [row for row in self.rows if row.id not in without]

    def _peers(self) -> list[Contender]:
        peers: list[Peer] = []
        if self.protocol.peers and (self.options.root / "peers").is_dir():
            found = read_peers(self.options.root / "peers")
            peers += [peer for peer in found if peer.kind == self.protocol.peers]
        for where in self.options.peers:
            peers += read_peers(where)
        names = [*self.protocol.answers, *(peer.name for peer in peers)]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ScoresError(
                f"--peers: two columns would be called {twice[0]!r}; rename the peer's file"
            )
        return peer_contenders(peers, default_kind=self.protocol.peers)

    def _facts(self, model: dict[str, Any], device: str) -> dict[str, Any]:
        return {"model": model, "versions": run_facts.versions(), **run_facts.machine(device)}

    def _model_facts(self) -> dict[str, Any]:
        """Of the weights that can have a say on these clips."""
        roles = None if _has_pictures(self.clips.measured) else run_facts.SOUND_ROLES
        return run_facts.model_facts(self.options.model, roles)

    def _old_facts(self, models: set[str]) -> dict[str, Any] | None:
        """Of the record on disk, for the scan that made the scores, if it is of their model.

        An interrupted run leaves the record of the one before behind.
        """
        path = self.folder / RECORD
        if not path.is_file():
            return None
        try:
            old = json.loads(path.read_text("utf-8"))
            is_theirs = models == {old["model"]["fingerprint"]}
            return {name: old[name] for name in _FACTS} if is_theirs else None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise ScoresError(
                f"{path}: is not the record of a run; delete it and run again"
            ) from error


def run(options: Options, scanner: Scanner | None = None) -> str:
    """Scan, write ``scores.csv``, ``segments.jsonl``, ``results.json`` and plots; the tables.

    Args:
        options: what to run.
        scanner: the detector; None loads the one that the options name.
    """
    this = Run(options)
    entry = this.result(this.scan(scanner))
    this.finish(entry)
    return _shown(entry, this.protocol)


def print_tables(options: Options) -> str:
    """The tables again from the files on disk; nothing is scanned or written."""
    this = Run(options)
    return _shown(this.result(), this.protocol)


def _shown(entry: dict[str, Any], protocol: Protocol) -> str:
    for warning in entry["warnings"]:
        print(f"warning: {warning}", file=sys.stderr)
    return run_tables(entry, protocol.point)


def _touches(level: Level, rows: Sequence[ManifestRow]) -> bool:
    """Whether a level changes anything in these rows: sound alone has no picture to degrade."""
    return level.sound is not None or _has_pictures(rows)


def _has_pictures(rows: Sequence[ManifestRow]) -> bool:
    return any(row.video_label for row in rows)


def _degrade(root: Path, level: Level) -> MakeFile:
    def make(row: ManifestRow, folder: Path) -> Path:
        path = degraded_file(row, root, level, folder, seed=_SEED)
        segment = segment_of(row)
        return path if segment is None else cut(path, segment, folder / "segment.mkv")

    return make


def _load(options: Options) -> Scanner:
    from avdetect.detector import Detector

    return Detector.load(options.model, device=options.device)
