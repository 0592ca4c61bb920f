from __future__ import annotations

import hashlib

from eval.splits import video_split
from tests.shared import requires_shared


@requires_shared
def test_the_split_of_talking_heads_is_frozen() -> None:
    development, test = video_split()
    assert {row["label"] for row in development} == {"real"}
    names = "\n".join(
        [*sorted(r["file"] for r in development), "", *sorted(r["file"] for r in test)]
    )
    assert (len(development), len(test)) == (77, 225)
    assert hashlib.sha256(names.encode()).hexdigest()[:16] == "5a0fef16c56e9dc4"


@requires_shared
def test_no_source_and_no_known_person_stands_on_both_sides() -> None:
    development, test = video_split()
    for column in ("source_repo", "identity"):
        names = {row[column] for row in development} - {""}
        assert not names & {row[column] for row in test}, column
