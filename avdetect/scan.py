"""One clip on its way through the engine: opened, observed, remembered, judged, let go."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from avdetect.attribution import attribute
from avdetect.branches.base import BranchOutput
from avdetect.cues import choose_cues
from avdetect.cues.base import ClipFacts, CueTools
from avdetect.cues.session import CueExhibit, CueSession
from avdetect.errors import AvdetectError, InputError
from avdetect.exhibits import Exhibits, SoundBite
from avdetect.gallery import Gallery
from avdetect.judgement import UNDECODED_PICTURE, Judges, judge
from avdetect.localise import PartFrames, scored_frames
from avdetect.media.clip import AudioChunk, Clip, PictureFrame, RawFormat, open_clip
from avdetect.media.source import SourceLike, source_name
from avdetect.observation import Observation
from avdetect.observe import observe
from avdetect.options import ScanOptions
from avdetect.record import ClipRecord
from avdetect.reference import EnrolledVoice, VoiceComparison
from avdetect.sightings import TrackSightings
from avdetect.types import Decision
from avdetect.verdict import Failure, Input, Stream, Verdict

Progress = Callable[[float, float | None], None]
OpenClip = Callable[..., Clip]  # as `open_clip`: (source, *, raw, name)
_MOST_EXPLAINED = 3  # each costs some sixty judgements of its stretch


@dataclass(frozen=True, slots=True, kw_only=True)
class Examination:
    """A verdict with what a report shows beside it.

    Attributes:
        verdict: what was found.
        exhibits: pictures of sound and faces.
        bites: stretches to listen to.
        sightings: where each face was, for an evidence video; None unless asked for.
        cues: pictures and curves of what the cues measured.
        frames: what voice and face branch say of every 20 ms; they say where, never whether.
    """

    verdict: Verdict
    exhibits: Exhibits
    bites: tuple[SoundBite, ...]
    sightings: tuple[TrackSightings, ...] | None = None
    cues: tuple[CueExhibit, ...] = ()
    frames: tuple[PartFrames, ...] = ()


class Scan:
    """One clip on its way through the engine."""

    def __init__(
        self,
        source: SourceLike,
        options: ScanOptions,
        *,
        gallery: Gallery | None = None,
        progress: Progress | None = None,
        enrolled: EnrolledVoice | None = None,
        open_with: OpenClip = open_clip,
    ) -> None:
        self._options = options
        self._cues = choose_cues(options.cues)
        self._session: CueSession | None = None  # begun with what the detector lends
        self._gallery = gallery
        self._progress = progress
        self._record = ClipRecord()
        self._comparison = VoiceComparison(enrolled) if enrolled is not None else None
        self._failure: Failure | None = None
        self._input = Input(path=source_name(source, options.name))
        self._clip: Clip | None = None
        self._has_picture = False  # one could be decoded
        self._observations: Iterator[Observation] = iter(())
        try:
            self._clip = open_with(source, raw=_raw(options), name=options.name)
            self._input = _describe(self._clip)
            self._observations = observe(
                self._clip,
                channel=str(options.channel),
                whole_pictures=bool(self._cues),
                watch=self._watch,
            )
        except InputError as error:
            self._failure = _failure(error)

    def observe_next(self) -> Observation | None:
        """The next observation, or None at the end or on failure."""
        try:
            return next(self._observations, None)
        except AvdetectError as error:
            self._failure = _failure(error)
            return None

    def add(
        self,
        observation: Observation,
        outputs: Mapping[str, Sequence[BranchOutput]],
        tools: CueTools,
    ) -> None:
        """Remember what was said of an observation, and show it to the cues."""
        self._record.add(observation, outputs)
        if self._cues and self._clip is not None:
            if self._session is None:
                self._session = CueSession(self._cues, ClipFacts.of(self._clip), tools)
            self._session.add(observation, outputs)
        if self._gallery is not None:
            self._gallery.add(observation, outputs)
        if self._comparison is not None:
            self._comparison.add(observation)
        if self._progress is not None:
            self._progress(self._record.end_s, self._input.duration_s)

    def close(self) -> None:
        """Let go of the file; closing twice is harmless."""
        close = getattr(self._observations, "close", None)
        if close is not None:
            close()
        if self._clip is not None:
            self._clip.close()

    def verdict(self, judges: Judges) -> Verdict:
        """What the judges make of the record."""
        if self._failure is not None:
            return Verdict(
                input=self._input,
                decision=Decision.INCONCLUSIVE,
                reason=self._failure.message,
                prior_fake=self._options.prior_fake,
                models=judges.models,
                error=self._failure,
            )
        duration_s = round(self._record.end_s, 3)
        verdict = judge(
            self._record,
            self._input.model_copy(update={"duration_s": duration_s}),
            judges,
            prior_fake=self._options.prior_fake,
            kinds=_kinds(self._clip, self._has_picture),
            cues=() if self._session is None else self._session.findings(judges.worths),
        )
        if self._comparison is None:
            return verdict
        return verdict.model_copy(update={"reference": self._comparison.verdict()})

    def _watch(self, item: AudioChunk | PictureFrame) -> None:
        self._has_picture = self._has_picture or isinstance(item, PictureFrame)

    def examination(self, verdict: Verdict, judges: Judges | None = None) -> Examination:
        """The verdict with the exhibits collected on the way, explained if judges are given."""
        if self._gallery is None or self._failure is not None:
            return Examination(verdict=verdict, exhibits=Exhibits(), bites=())
        return Examination(
            verdict=verdict,
            exhibits=self._gallery.exhibits(verdict.timeline),
            bites=tuple(_explained(self._gallery.bites(verdict.suspicious), judges)),
            sightings=self._gallery.sightings(),
            cues=() if self._session is None else self._session.exhibits(),
            frames=scored_frames(self._record.outputs),
        )


def _explained(bites: Sequence[SoundBite], judges: Judges | None) -> Iterator[SoundBite]:
    for rank, bite in enumerate(bites):
        if judges is None or rank >= _MOST_EXPLAINED:
            yield bite
            continue
        found = attribute(bite, judges.branches["voice_clone"], judges.calibrations["voice_clone"])
        yield replace(bite, attribution=found)


def _raw(options: ScanOptions) -> RawFormat | None:
    if options.format is None or options.rate is None:
        return None
    return RawFormat(encoding=options.format, rate_hz=options.rate)


def _kinds(clip: Clip | None, has_picture: bool) -> frozenset[str]:
    if clip is None:
        return frozenset()
    picture = {"image" if clip.is_still else "video"} if clip.has_video else set()
    damage = {UNDECODED_PICTURE} if clip.has_video and not has_picture else set()
    return frozenset(picture | damage | ({"audio"} if clip.has_audio else set()))


def _failure(error: AvdetectError) -> Failure:
    return Failure(code=error.code, message=str(error))


def _describe(clip: Clip) -> Input:
    return Input(
        path=clip.path,
        sha256=clip.sha256,
        duration_s=clip.duration_s,
        streams=tuple(
            Stream(
                kind=info.kind,
                codec=info.codec,
                start_s=info.start_s,
                duration_s=info.duration_s,
                rate=info.rate,
                channels=info.channels,
                width=info.width,
                height=info.height,
            )
            for info in clip.streams
        ),
    )
