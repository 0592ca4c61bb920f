"""One leg of a call: heard on the grid of the offline scan, judged by the same judges.

Every judgement is what a scan of the sound so far would say: the observations of the grid are
judged once and for all, and the last one, which a scan moves back to end with the clip, anew each
time.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from avdetect.branches.base import BranchOutput
from avdetect.calibration import probability
from avdetect.judgement import Judges, Weighed, judge, settle, weigh
from avdetect.localise import suspicious_segments
from avdetect.media.sound import AudioChunk
from avdetect.observation import Observation
from avdetect.observe import Observer
from avdetect.record import ClipRecord
from avdetect.streaming.confidence import standing_confidence
from avdetect.streaming.inlet import DECODERS, Inlet
from avdetect.streaming.options import StreamOptions
from avdetect.streaming.updates import LiveJudgement, LiveVerdict, Update
from avdetect.types import Decision
from avdetect.verdict import Input, Stream

FIRST_SPEECH_S = 2.0  # no judgement on less
REFRESH_SPEECH_S = 1.0

Outputs = Mapping[str, Sequence[BranchOutput]]
RunBranches = Callable[[Sequence[Observation]], list[dict[str, list[BranchOutput]]]]

_PLACES = 6  # decimals of LLRs on the wire, as in a verdict


class Track:
    """Bytes in by `put`, updates out by `advance`; `finish` gives the verdict.

    Attributes:
        is_over: the verdict is out; what still comes goes unheard.
    """

    def __init__(self, name: str, options: StreamOptions, judges: Judges, run: RunBranches) -> None:
        self._name, self._options, self._judges, self._run = name, options, judges, run
        self._path = options.name if len(options.tracks) == 1 else f"{options.name} ({name})"
        self._inlet = Inlet(self._path, options.encoding, options.rate_hz)
        self._observer = Observer(self._path)
        self._record = ClipRecord()
        self._digest = hashlib.sha256()
        self._speech_s = 0.0  # in the observations recorded
        self._due_speech_s = FIRST_SPEECH_S
        self.is_over = False

    @property
    def waiting_s(self) -> float:
        """Seconds that have arrived and are not heard yet."""
        return self._inlet.waiting_s

    def put(self, data: bytes, at_s: float | None = None) -> None:
        """Take bytes as they arrive; see `Inlet.put`."""
        if not self.is_over:
            self._inlet.put(data, at_s)
            self._digest.update(data)

    def advance(self) -> Iterator[Update]:
        """Hear what waits. Of several judgements that would be due only the last is made.

        Raises:
            InputLimitError: the call is longer than a clip may be.
        """
        chunks = [] if self.is_over else list(self._inlet.chunks())
        for index, chunk in enumerate(chunks):
            yield from self._hear(chunk, judged=index == len(chunks) - 1)

    def finish(self) -> Iterator[Update]:
        """Hear the rest and give the verdict; a second time there is nothing to give."""
        if self.is_over:
            return
        for chunk in self._inlet.finish():
            self._remember(list(self._observer.push(chunk)))
        self._remember(list(self._observer.finish()))
        yield self._verdict(stopped_early=False)

    def _hear(self, chunk: AudioChunk, *, judged: bool) -> Iterator[Update]:
        complete = list(self._observer.push(chunk))
        latest = self._observer.so_far() if judged else None
        speech_s = self._speech_s + sum(_speech_s(o) for o in (*complete, latest) if o is not None)
        if not judged or speech_s < self._due_speech_s:
            self._remember(complete)
            return
        self._due_speech_s = math.floor(speech_s / REFRESH_SPEECH_S + 1) * REFRESH_SPEECH_S
        outputs = self._remember(complete, latest)
        record = self._record
        if latest is not None:
            record = record.copy()
            record.add(latest, outputs)
        judgement = self._judgement(record, speech_s)
        yield judgement
        stop_at = self._options.stop_at
        if stop_at is not None and (judgement.confidence or 0.0) >= stop_at:
            self._record = record
            yield self._verdict(stopped_early=True)

    def _remember(
        self, complete: Sequence[Observation], latest: Observation | None = None
    ) -> Outputs:
        """Judge observations in one batch and record the complete ones; gives the latest's."""
        wanted = [*complete, *([] if latest is None else [latest])]
        outputs = [_without_tokens(found) for found in self._run(wanted)] if wanted else []
        for observation, found in zip(complete, outputs, strict=False):
            self._record.add(observation, found)
            self._speech_s += _speech_s(observation)
        return {} if latest is None else outputs[-1]

    def _judgement(self, record: ClipRecord, speech_s: float) -> LiveJudgement:
        prior_fake = self._options.prior_fake
        weighed = weigh(record, self._judges)
        llr = weighed.fake_llr
        decision = self._judges.rule.decide(llr, prior_fake)
        doubts: list[str] = []
        if decision is Decision.REAL:  # stretches are sought only where they can count
            suspicious = suspicious_segments(record.outputs)
            decision, doubts = settle(decision, weighed, record, suspicious)
        reasons = (score.missing for found in weighed.scores.values() for score in found)
        return LiveJudgement(
            track=self._name,
            heard_s=round(record.end_s, 3),
            speech_s=round(speech_s, 3),
            lost_s=round(self._inlet.lost_s, 3),
            decision=decision,
            fake_llr=None if llr is None else round(llr, _PLACES),
            fake_probability=None if llr is None else round(probability(llr, prior_fake), 6),
            prior_fake=prior_fake,
            confidence=self._confidence(record, weighed, decision),
            missing=next((why for why in reasons if why), None) if llr is None else None,
            doubt=" and ".join(doubts) or None,
        )

    def _confidence(self, record: ClipRecord, weighed: Weighed, decision: Decision) -> float | None:
        """For the one voice of the track; a decision not made cannot stand or fall."""
        if weighed.fake_llr is None or decision is Decision.INCONCLUSIVE:
            return None
        (subject, _), *_ = weighed.fused
        ((name, _),) = subject.fake_llrs.items()
        branch, calibration = self._judges.branches[name], self._judges.calibrations[name]
        part = subject.parts()[name]

        def pooled(outputs: Sequence[BranchOutput]) -> float | None:
            score = branch.pool(part, outputs).score
            return None if score is None else calibration.known_llr(score)

        log_odds = weighed.fake_llr + math.log(
            self._options.prior_fake / (1.0 - self._options.prior_fake)
        )
        beyond = self._judges.rule.margin(decision, log_odds)
        threshold = weighed.fake_llr - (beyond if decision is Decision.FAKE else -beyond)
        # Where little can move the LLR for its bound, the score still may.
        reached, asked = (calibration.without_unknown(x) for x in (weighed.fake_llr, threshold))
        margin = abs(reached - asked)
        found = standing_confidence(record.outputs[name][part], pooled, margin)
        return None if found is None else round(found, 4)

    def _verdict(self, *, stopped_early: bool) -> LiveVerdict:
        self.is_over = True
        options, end_s = self._options, round(self._record.end_s, 3)
        source = Input(
            path=self._path,
            sha256=self._digest.hexdigest(),
            duration_s=end_s,
            streams=(
                Stream(
                    kind="audio",
                    codec=DECODERS[options.encoding],
                    duration_s=self._inlet.end_s,
                    rate=float(options.rate_hz),
                    channels=1,
                ),
            ),
        )
        verdict = judge(
            self._record,
            source,
            self._judges,
            prior_fake=options.prior_fake,
            kinds=frozenset({"audio"}),
        )
        return LiveVerdict(
            track=self._name,
            lost_s=round(self._inlet.lost_s, 3),
            stopped_early=stopped_early,
            verdict=verdict,
        )


def _speech_s(observation: Observation) -> float:
    return sum(observation.fresh_speech_s(channel) for channel in observation.channels)


def _without_tokens(outputs: Mapping[str, Sequence[BranchOutput]]) -> Outputs:
    """Sound alone is never fused across branches: its tokens would only fill memory."""
    return {
        name: [replace(output, tokens=output.tokens[:, :0].copy()) for output in found]
        for name, found in outputs.items()
    }
