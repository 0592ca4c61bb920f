"""Which truth each answer of the detector is held against; `ANSWERS` is the only list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from eval.manifest.row import ManifestRow

TruthColumn = Literal["label", "audio_label", "video_label"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked of a clip, and which rows have an answer to it.

    A voice forged under a true picture is real to a question about the picture and fake to one
    about the sound; rows whose truth is unknown to a question do not enter it.

    Attributes:
        truth: field of `ManifestRow` that holds ``real``, ``fake`` or nothing.
        needs_picture: rows without a picture do not enter.
    """

    truth: TruthColumn
    needs_picture: bool = False

    def admits(self, row: ManifestRow) -> bool:
        """Whether the row's truth is known to this question."""
        return bool(getattr(row, self.truth)) and (bool(row.video_label) or not self.needs_picture)

    def is_fake(self, row: ManifestRow) -> bool:
        """The truth of a row that is admitted."""
        return bool(getattr(row, self.truth) == "fake")


CLIP = Question(truth="label")
SOUND = Question(truth="audio_label")
PICTURE = Question(truth="video_label")
SPEAKING_FACE = Question(truth="label", needs_picture=True)

QUESTIONS: dict[Question, str] = {
    CLIP: "Is anything in the clip forged?",
    SOUND: "Is the sound forged?",
    PICTURE: "Is the picture forged?",
    SPEAKING_FACE: "Is anything in a clip with a picture forged, told from mouth against sound?",
}
ANSWERS: dict[str, Question] = {
    "fused": CLIP,
    "voice_clone": SOUND,
    "visual_forgery": PICTURE,
    "lip_sync": SPEAKING_FACE,
    "audio_fake": SOUND,
    "video_fake": PICTURE,
    "out_of_sync": SPEAKING_FACE,
}
