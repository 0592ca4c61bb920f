"""The table of cues: every row can be told to a user, and choosing among them refuses nonsense."""

from __future__ import annotations

import pytest

from avdetect.cues import CUES, choose_cues
from avdetect.errors import UsageError


@pytest.mark.parametrize("cue", CUES.values(), ids=list(CUES))
def test_every_cue_says_what_it_looks_for_and_after_whom(cue):
    assert cue.name == cue.name.lower().replace(" ", "_")
    assert cue.title and cue.measures.endswith(".") and any(c.isdigit() for c in cue.reference)
    assert cue.media and len(set(cue.features)) == len(cue.features) > 0


def test_the_default_is_all_that_are_cheap():
    assert choose_cues("default") == tuple(cue for cue in CUES.values() if cue.cheap)
    assert choose_cues("all") == tuple(CUES.values())
    assert choose_cues("none") == ()


def test_names_are_taken_in_their_order_and_once():
    assert [cue.name for cue in choose_cues("exposure, exposure")] == ["exposure"]


@pytest.mark.parametrize("names", ["", ",", "exposures", "exposure,none", "ALL"])
def test_what_is_no_cue_is_refused_with_the_names_there_are(names):
    with pytest.raises(UsageError, match="exposure"):
        choose_cues(names)
