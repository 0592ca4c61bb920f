"""What a live call says: judgements while it lasts, one verdict for each track at its end."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from avdetect.types import Decision
from avdetect.verdict import Finite, Probability, Verdict


class _Wire(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    def to_json(self) -> str:
        """One JSON object on one line."""
        return self.model_dump_json()


class LiveJudgement(_Wire):
    """What one track's sound so far says: the verdict, had the call ended here."""

    type: Literal["judgement"] = "judgement"
    track: str
    heard_s: Finite = Field(description="seconds of the track so far, holes included")
    speech_s: Finite = Field(description="seconds of speech in them")
    lost_s: Finite = Field(description="seconds of sound that never came")
    decision: Decision
    fake_llr: Finite | None = Field(description="calibrated, > 0 favours fake")
    fake_probability: Probability | None
    prior_fake: Probability
    confidence: Probability | None = Field(
        description="that more speech of this kind leaves the decision as it is; null too early, "
        "or without a decision"
    )
    missing: str | None = Field(None, description="why nothing was judged")
    doubt: str | None = Field(None, description="why it is not called real, whatever its LLR")


class LiveVerdict(_Wire):
    """The last word on one track: what a scan of the same sound says."""

    type: Literal["verdict"] = "verdict"
    track: str
    lost_s: Finite
    stopped_early: bool = Field(description="certain before the call ended; the rest went unheard")
    verdict: Verdict


Update = LiveJudgement | LiveVerdict
