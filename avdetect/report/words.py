"""A verdict's numbers as words: the same words in the terminal and on the page."""

from __future__ import annotations

import math
import unicodedata
from typing import TYPE_CHECKING

from avdetect.types import MAX_FACES, Part

if TYPE_CHECKING:
    from avdetect.verdict import BranchVerdict, Cue, ReferencePart, ReferenceVerdict

BRANCH_WORDS = {
    "voice_clone": "voice clone",
    "visual_forgery": "visual forgery",
    "lip_sync": "lip sync",
}

TOGETHER = "all together"

REFERENCE_CAVEAT = (
    "similarity is not identity: a good clone of the enrolled person scores high, too; "
    "a low value says another person"
)

FACES_LEFT_OUT = f"more were seen and not judged: only the {MAX_FACES} largest are followed"

CUE_MEANING = (
    "Measurements beside the three branches. Each says what it saw, and how well it told fake from "
    "real on clips of sources it had not seen: where that is not surely better than chance (an AUC "
    "of 0.5), the measurement is shown and means nothing. A cue enters the decision only where its "
    "worth names what it added."
)

# ENFSI Guideline for Evaluative Reporting in Forensic Science (2015), likelihood ratio up to:
_VERBAL_SCALE = (
    (2.0, "no support either way"),
    (10.0, "weak support"),
    (100.0, "moderate support"),
    (1_000.0, "moderately strong support"),
    (10_000.0, "strong support"),
    (1_000_000.0, "very strong support"),
    (math.inf, "extremely strong support"),
)


def branch_words(branch: str) -> str:
    """A branch's name for people: ``voice_clone`` to ``voice clone``."""
    return BRANCH_WORDS.get(branch, branch.replace("_", " "))


def sentence(text: str) -> str:
    """A reason as a sentence for people: branches by their names, capital letter, full stop."""
    for branch, name in BRANCH_WORDS.items():
        text = text.replace(branch, name)
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def support_words(fake_llr: float) -> str:
    """How far the evidence goes, on the ENFSI verbal scale: ``weak support for fake``."""
    ratio = math.exp(min(abs(fake_llr), 700.0))
    words = next(words for limit, words in _VERBAL_SCALE if ratio < limit or limit == math.inf)
    if ratio < _VERBAL_SCALE[0][0]:
        return words
    return f"{words} for {'fake' if fake_llr > 0 else 'real'}"


def ratio_words(fake_llr: float) -> str:
    """The likelihood ratio as a sentence's end: ``about 67 times more probable if ...``."""
    times = math.exp(min(abs(fake_llr), 700.0))
    first, second = ("fake", "real") if fake_llr >= 0 else ("real", "fake")
    if times < 1.05:
        return "as probable if the clip is fake as if it is real"
    number = f"{times:.1f}" if times < 10 else f"{_two_digits(times):,.0f}"
    return f"about {number} times more probable if the clip is {first} than if it is {second}"


def llr_words(fake_llr: float | None) -> str:
    """A log-likelihood ratio with its sign: ``+4.21``; ``n/a`` without one."""
    return "n/a" if fake_llr is None else f"{round(fake_llr, 2) + 0.0:+.2f}"  # no "-0.00"


def number_words(value: float | None) -> str:
    """A number of no unit: ``0.62``; ``n/a`` without one."""
    return "n/a" if value is None else f"{round(value, 2) + 0.0:.2f}"


def missing_similarity(part: ReferencePart, reference: ReferenceVerdict) -> str:
    """Why a channel was not compared with the enrolled voice; empty if it was."""
    return "" if part.similarity is not None else part.missing or reference.missing or ""


def worth_words(cue: Cue) -> str:
    """What a cue's LLR rests on: ``AUC 0.71 [0.62, 0.79] on 75 real, 69 fake; ...``."""
    known = cue.reliability
    if known is None:
        return "worth not known on recordings; shown as it is"
    text = (
        f"AUC {known.auc:.2f} [{known.auc_low:.2f}, {known.auc_high:.2f}] on {known.n_real} real, "
        f"{known.n_fake} fake; {100 * known.false_alarm_rate:.0f} % false alarms, "
        f"{100 * known.miss_rate:.0f} % misses"
    )
    if cue.fake_llr is None and cue.missing is None:
        text += "; not surely better than chance, so that it says nothing"
    return text + (f"; added {llr_words(cue.added_llr)}" if cue.added_llr else "")


def percent_words(probability: float) -> str:
    """A probability as a percentage that never claims 0 or 100: ``98.5 %``, ``> 99.9 %``."""
    if 0.999 < probability:
        return "> 99.9 %"
    if probability < 0.00001:
        return "< 0.001 %"
    return f"{100 * probability:.1f} %" if probability >= 0.001 else f"{100 * probability:.1g} %"


def prior_words(prior_fake: float) -> str:
    """The prior as given, without rounding it away: ``50 %``, ``0.02 %``."""
    return f"{100 * prior_fake:.6g} %"


def time_words(seconds: float) -> str:
    """A time in the clip: ``0:03.2``, ``1:02:03.0``."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    head = f"{hours}:{minutes:02d}" if hours else f"{minutes}"
    return f"{head}:{rest // 10:02d}.{rest % 10}"


def clock_words(seconds: float) -> str:
    """A time for an axis: ``0:10``, with tenths only where there are some."""
    return time_words(seconds).removesuffix(".0")


def part_words(channel: str | None, face_track: int | None) -> str:
    """Which channel or face: ``channel left``, ``channel left with face 0``, ``clip``."""
    return str(Part(channel, face_track))


def plain(text: str) -> str:
    """Text that cannot move the cursor or forge a line: control and format characters escaped."""
    return "".join(_escaped(char) for char in text)


def judged_parts(branch: BranchVerdict) -> list[tuple[Part, float]]:
    """Parts of a branch that have a score, most fake first."""
    found = [
        (Part(part.channel, part.face_track), part.fake_llr)
        for part in branch.parts
        if part.fake_llr is not None
    ]
    return sorted(found, key=lambda item: -item[1])


def _two_digits(value: float) -> float:
    step = 10.0 ** (math.floor(math.log10(value)) - 1)
    return round(value / step) * step


def _escaped(char: str) -> str:
    # Cc control, Cf bidirectional overrides, Cs lone surrogates, Zl/Zp line separators
    if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}:
        return char
    return {"\n": "\\n", "\r": "\\r", "\t": "\\t"}.get(char) or (
        f"\\x{ord(char):02x}" if ord(char) < 0x100 else f"\\u{ord(char):04x}"
    )
