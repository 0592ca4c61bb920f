"""Audio-video offset, LSE-D and LSE-C of each speaking face, over the whole clip."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from avdetect.branches.agreement import OffsetSums
from avdetect.branches.base import BranchOutput
from avdetect.timebase import FRAME_RATE_HZ
from avdetect.types import Part
from avdetect.verdict import Synchrony

# Chosen on held-out speakers of 1.2 s, where it parts offsets that are far off from the others, and
# measured on other people's clips: python -m recipes.lip_sync.offsets.
CLEAR_LEAD = 0.3
IN_TIME_S = 2.5 / FRAME_RATE_HZ  # more than nine told offsets in ten are right within two frames


def measure_synchrony(
    outputs: Mapping[Part, Sequence[BranchOutput]], judged: Collection[Part]
) -> tuple[Synchrony, ...]:
    """One entry per face that the lip-sync branch judged over the clip, in the order of parts.

    Args:
        outputs: what the branch said of each part, in time order.
        judged: the parts that it gave a score.
    """
    found = []
    for part in sorted(judged, key=str):
        sums = [out.agreement.sums for out in outputs.get(part, ()) if out.agreement is not None]
        if any(one.count.any() for one in sums):
            found.append(_synchrony(part, OffsetSums.total(sums)))
    return tuple(found)


def _synchrony(part: Part, sums: OffsetSums) -> Synchrony:
    facts = sums.facts()
    offset_s = round(facts["av_offset_s"], 3) + 0.0 if sums.lead() >= CLEAR_LEAD else None
    return Synchrony(
        channel=part.channel,
        face_track=part.face_track,
        av_offset_s=offset_s,
        sync_distance=round(facts["sync_distance"], 4),
        sync_confidence=round(facts["sync_confidence"], 4),
        text=offset_words(offset_s),
    )


def offset_words(av_offset_s: float | None) -> str:
    """What an offset means, as one plain sentence."""
    if av_offset_s is None:
        return "no offset within 0.6 s either way stands out as the one at which lips and sound fit"
    if abs(av_offset_s) <= IN_TIME_S:
        return "the sound is in time with the lips"
    side = "late" if av_offset_s > 0 else "early"
    return (
        f"the sound is {abs(av_offset_s) * 1000:.0f} ms {side}: a constant offset is a fault of "
        "the recording, and by itself no sign of forgery"
    )
