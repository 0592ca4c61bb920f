"""Everyone whose scores stand in a table: our answers, the procedure cross-validated, peers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np

from eval.answers import ANSWERS, CLIP, PICTURE, SOUND, Question
from eval.errors import ScoresError
from eval.manifest.row import ManifestRow
from eval.out_of_fold import OutOfFold, read_out_of_fold
from eval.peers import Peer
from eval.protocol import Protocol
from eval.run.store import CLEAN, ScoreRow
from eval.score_file import ScoredTrials

_PEER_QUESTIONS = {"audio": SOUND, "video": PICTURE, "": CLIP}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """One column of scores and the question it answers.

    Attributes:
        name: shown in tables.
        kind: ``weights`` (this weight file), ``procedure`` (cross-validated) or ``peer``.
        question: which truth it is held against.
        scores: id -> score, higher = more fake; a clip that was not judged is absent.
        is_llr: scores are natural-log likelihood ratios.
        asked: ids it was asked about, None for all.
    """

    name: str
    kind: Literal["weights", "procedure", "peer"]
    question: Question
    scores: Mapping[str, float]
    is_llr: bool
    asked: frozenset[str] | None = None

    def asked_of(self, row: ManifestRow) -> bool:
        """Whether it was asked about a row whose truth is known."""
        return self.question.admits(row) and (self.asked is None or row.id in self.asked)

    def entering(self, rows: Iterable[ManifestRow]) -> list[ManifestRow]:
        """Rows that it was asked about and whose truth is known."""
        return [row for row in rows if self.asked_of(row)]

    def judged(self, rows: Iterable[ManifestRow]) -> list[ManifestRow]:
        """Of the entering rows, those it did not abstain on."""
        return [row for row in self.entering(rows) if row.id in self.scores]

    def trials(
        self, rows: Iterable[ManifestRow], *, abstained: float | None = None
    ) -> ScoredTrials:
        """Trials of the judged rows, or of all entering ones with a score for the abstentions."""
        chosen = self.judged(rows) if abstained is None else self.entering(rows)
        return ScoredTrials(
            ids=[row.id for row in chosen],
            is_fake=np.array([self.question.is_fake(row) for row in chosen], bool),
            scores=np.array([self.scores.get(row.id, abstained) for row in chosen], np.float64),
            groups=np.array([row.person for row in chosen], np.str_),
        )


def our_contenders(
    protocol: Protocol, scores: Iterable[ScoreRow], *, level: str = CLEAN
) -> list[Contender]:
    """One contender for each of the protocol's answers, from one level of a score file."""
    rows = [row for row in scores if row.level == level]
    return [
        Contender(
            name=name,
            kind="weights",
            question=ANSWERS[name],
            scores={row.id: llr for row in rows if (llr := row.llr(name)) is not None},
            is_llr=True,
        )
        for name in protocol.answers
    ]


def peer_contenders(peers: Sequence[Peer], *, default_kind: str = "") -> list[Contender]:
    """Peers against the truth of what they look at; ``default_kind`` where a file does not say."""
    return [
        Contender(
            name=peer.name,
            kind="peer",
            question=_PEER_QUESTIONS[peer.kind or default_kind],
            scores=peer.scores,
            is_llr=False,
        )
        for peer in peers
    ]


def procedure_contenders(
    path: Path, protocol: Protocol, rows: Sequence[ManifestRow]
) -> list[Contender]:
    """The procedures of an out-of-fold score file, by name; none where there is no file.

    An empty ``fake_llr`` is an abstention. They answer what the protocol's first answer does.

    Args:
        path: of the score file.
        protocol: of the run.
        rows: all of the protocol's, with their folds.

    Raises:
        ScoresError: as `read_out_of_fold`, an id is not in the manifest, or a clip was held out
            with another fold than it stands in.
    """
    if not path.is_file():
        return []
    by_procedure: dict[str, list[OutOfFold]] = defaultdict(list)
    for entry in read_out_of_fold(path):
        by_procedure[entry.procedure].append(entry)
    _refuse_other_folds(path, chain.from_iterable(by_procedure.values()), rows)
    return [
        Contender(
            name=f"cross-validated: {procedure}",
            kind="procedure",
            question=ANSWERS[protocol.answers[0]],
            scores={e.id: e.fake_llr for e in entries if e.fake_llr is not None},
            is_llr=True,
            asked=frozenset(e.id for e in entries),
        )
        for procedure, entries in sorted(by_procedure.items())
    ]


def _refuse_other_folds(
    path: Path, scored: Iterable[OutOfFold], rows: Sequence[ManifestRow]
) -> None:
    """Scores of folds that were cut otherwise may be of clips that were trained on."""
    held_out_with = {row.id: (row.fold, row.source) for row in rows}
    wrong = [e for e in scored if e.fold not in held_out_with.get(e.id, ())]
    if wrong:
        where = held_out_with.get(wrong[0].id)
        now = "which is not in the manifest" if where is None else f"now in fold {where[0]!r}"
        raise ScoresError(
            f"{path}: {len(wrong)} clips are not where they were held out, such as "
            f"{wrong[0].id!r} with {wrong[0].fold!r}, {now}; write it anew"
        )
