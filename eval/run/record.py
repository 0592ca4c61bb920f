"""What a run found and what it was made with: one JSON object, the source of every table."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from avdetect.channels.levels import Level
from eval.answers import ANSWERS
from eval.manifest.row import ManifestRow
from eval.protocol import Protocol
from eval.run.clips import Clips, run_fingerprint
from eval.run.contenders import Contender, our_contenders
from eval.run.figures import Figures
from eval.run.levels import level_figures
from eval.run.localise import localisation_figures
from eval.run.population import Population, population_figures, reversed_directions
from eval.run.store import CLEAN, Key, ScoreRow, write_whole
from eval.run.stretches import Located


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Everything that figures are made from.

    Attributes:
        protocol: of the run.
        clips: its rows.
        rows: the measured ones that tables are made over.
        scores, located: by (id, level).
        levels: of degradation in the run, without ``clean``.
        peers, procedures: whose scores stand beside ours.
    """

    protocol: Protocol
    clips: Clips
    rows: Sequence[ManifestRow]
    scores: Mapping[Key, ScoreRow]
    located: Mapping[Key, Located]
    levels: Mapping[str, Level]
    peers: Sequence[Contender]
    procedures: Sequence[Contender]

    @property
    def contenders(self) -> list[Contender]:
        """Everybody, ours first."""
        ours = our_contenders(self.protocol, self.scores.values())
        return [*ours, *self.procedures, *self.peers]


def figures(scored: Scored, *, n_draws: int) -> Figures:
    """All figures of a run, JSON-ready; the same scores give the same figures."""
    durations_s = {
        found.id: found.duration_s for found in scored.located.values() if found.duration_s
    }
    found = [
        population_figures(population, scored.protocol, durations_s, n_draws=n_draws)
        for population in populations(scored)
    ]
    return {
        "populations": found,
        "levels": _levels(scored, n_draws),
        "localisation": localisation_figures(scored.rows, scored.located),
        "decisions": {
            level: _decisions(scored.rows, scored.scores, level)
            for level in (CLEAN, *scored.levels)
        },
        "warnings": [*reversed_directions(found), *_strange_peers(scored)],
    }


def record(scored: Scored, found: Figures, facts: Figures) -> Figures:
    """Figures with what they were made from.

    Args:
        scored: what was scored.
        found: of `figures`.
        facts: ``model``, ``versions``, ``device`` and the like, from `eval.run_facts`.
    """
    ids = {row.id for row in scored.rows}
    used = [row for row in scored.scores.values() if row.id in ids]
    n_clips = len(scored.clips.measured)
    return {
        "protocol": scored.protocol.name,
        "title": scored.protocol.title,
        "complete": len(ids) == n_clips,
        "n_clips": n_clips,
        "n_scored": len(ids),
        "commits": sorted({row.commit for row in used}),
        **facts,
        "protocol_sha256": hashlib.sha256(scored.protocol.text.encode()).hexdigest(),
        "run_fingerprint": run_fingerprint(scored.protocol, scored.clips.measured),
        "manifest_sha256": scored.clips.manifest_sha256,
        "peers_sha256": {peer.name: _scores_sha256(peer) for peer in scored.peers},
        **found,
    }


def write_record(path: Path, entry: Figures) -> None:
    """Write the JSON whole or not at all; a figure that is no number is refused."""
    write_whole(path, json.dumps(entry, indent=1, allow_nan=False) + "\n")


def file_sha256(path: Path) -> str | None:
    """Hash of a file, None where there is none."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else None


def populations(scored: Scored) -> list[Population]:
    """What this weight file never saw, then what each procedure was cross-validated on."""
    found = [
        Population(
            title="This weight file, on data it never saw",
            rows=scored.rows,
            contenders=scored.contenders,
        )
    ]
    for procedure in scored.procedures:
        held_out = [row for row in scored.clips.cross_validated if procedure.asked_of(row)]
        if held_out:
            found.append(
                Population(
                    title=f"Procedure, {procedure.name}",
                    rows=held_out,
                    contenders=[procedure, *scored.peers],
                )
            )
    return found


def _scores_sha256(peer: Contender) -> str:
    return hashlib.sha256(json.dumps(sorted(peer.scores.items())).encode()).hexdigest()


def _strange_peers(scored: Scored) -> list[str]:
    ids = {row.id for row in scored.clips.rows}
    return [
        f"{peer.name}: scores no id of the manifest and stands in no table: are its ids right?"
        for peer in scored.peers
        if ids.isdisjoint(peer.scores)
    ]


def _levels(scored: Scored, n_draws: int) -> dict[str, dict[str, Figures]]:
    if not scored.levels:
        return {}
    by_level = {
        name: {
            c.name: c for c in our_contenders(scored.protocol, scored.scores.values(), level=name)
        }
        for name in (CLEAN, *scored.levels)
    }
    return {
        answer: level_figures(
            {name: answers[answer] for name, answers in by_level.items()},
            scored.rows,
            scored.levels,
            scored.protocol.point,
            n_draws=n_draws,
        )
        for answer in scored.protocol.answers
        if any(ANSWERS[answer].admits(row) for row in scored.rows)
    }


def _decisions(
    rows: Sequence[ManifestRow], scores: Mapping[Key, ScoreRow], level: str
) -> dict[str, dict[str, int]]:
    decided = [
        (row.label, scores[row.id, level].decision) for row in rows if (row.id, level) in scores
    ]
    return {
        label: {
            decision: decided.count((label, decision))
            for decision in ("fake", "real", "inconclusive")
        }
        for label in ("real", "fake")
    }
