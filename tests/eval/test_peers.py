"""Peers' files: direction turned once, joined by id, refused if of another form."""

from __future__ import annotations

import pytest

from eval.errors import ScoresError
from eval.peers import read_peer, read_peers
from eval.protocol import read_protocol
from eval.run.clips import read_clips
from eval.shared_data import shared_root
from tests.shared import requires_shared


def test_direction_is_turned_and_an_empty_score_is_left_out(tmp_path):
    path = tmp_path / "audio_Odd_Name.csv"
    path.write_text("id,score,direction\na,1.5,bonafide\nb,2,fake\nc,,real\n")
    peer = read_peer(path)
    assert (peer.name, peer.kind, peer.scores) == ("Odd_Name", "audio", {"a": -1.5, "b": 2.0})


def test_a_file_of_ones_own_needs_no_kind_and_a_folder_gives_all(tmp_path):
    for name in ("mine", "video_other"):
        (tmp_path / f"{name}.csv").write_text("id,score,direction\na,1,fake\n")
    assert [(p.name, p.kind) for p in read_peers(tmp_path)] == [("mine", ""), ("other", "video")]
    assert [p.name for p in read_peers(tmp_path / "mine.csv")] == ["mine"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id,score,direction\na,1.0,sideways\n", "sideways"),
        ("id,score,direction\na,high,fake\n", "high"),
        ("id,score,direction\na,inf,fake\n", "infinite"),
        ("name,score\na,1.0\n", "id,score,direction"),
        ("id,score,direction\na,1.0,fake\na,1.0,fake\n", "twice"),
    ],
)
def test_another_form_is_refused(tmp_path, text, words):
    path = tmp_path / "audio_Odd.csv"
    path.write_text(text)
    with pytest.raises(ScoresError, match=words):
        read_peer(path)


def test_an_absent_file_or_an_empty_folder_is_refused(tmp_path):
    with pytest.raises(ScoresError, match="cannot be read"):
        read_peers(tmp_path / "none.csv")
    with pytest.raises(ScoresError, match="holds no"):
        read_peers(tmp_path)


@requires_shared
@pytest.mark.parametrize("name", ["voice", "video"])
def test_peers_cover_the_frozen_protocols(name):
    protocol = read_protocol(name)
    clips = read_clips(protocol, shared_root())
    ids = {row.id for row in clips.cross_validated}
    peers = [peer for peer in read_peers() if peer.kind == protocol.peers]
    assert peers
    for peer in peers:
        assert len(ids & peer.scores.keys()) >= 0.9 * len(ids), peer.name
