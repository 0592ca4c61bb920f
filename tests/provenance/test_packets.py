"""Packets recognised in whatever place, and chains that show where they break."""

from __future__ import annotations

import numpy as np

from avdetect.provenance.chains import chain_links, links_held, packet_tag
from avdetect.provenance.packet_match import ABSENT, match_packets
from avdetect.provenance.sound_print import pack, unpack

KEY = b"k" * 32


def tags(text: str) -> list[bytes]:
    return [letter.encode() for letter in text]


def test_the_same_packets_match_one_by_one():
    assert match_packets(tags("abcab"), tags("abcab")).tolist() == [0, 1, 2, 3, 4]


def test_packets_behind_a_cut_are_found_in_their_new_place():
    assert match_packets(tags("abcdefg"), tags("abfg")).tolist() == [0, 1, -1, -1, -1, 2, 3]


def test_packets_around_an_insertion_are_found():
    assert match_packets(tags("abcd"), tags("abXYcd")).tolist() == [0, 1, 4, 5]


def test_repeated_packets_match_beside_those_that_occur_once():
    assert match_packets(tags("a00b00c"), tags("a00c")).tolist() == [0, 1, 2, -1, -1, -1, 3]


def test_matches_never_go_back():
    rng = np.random.default_rng(0)
    sealed = [bytes([n]) for n in rng.permutation(200)]
    found = [bytes([n]) for n in rng.permutation(200)]
    matches = match_packets(sealed, found)
    present = matches[matches != ABSENT]
    assert len(present)
    assert (np.diff(present) > 0).all()


def test_nothing_matches_nothing():
    assert match_packets([], tags("ab")).tolist() == []
    assert match_packets(tags("ab"), []).tolist() == [ABSENT, ABSENT]


def test_a_chain_breaks_at_the_changed_second_alone():
    groups = [b"one", b"two", b"three", b"four"]
    links = list(chain_links(KEY, "a", groups))
    assert links_held(KEY, "a", links, groups) == [True] * 4
    assert links_held(KEY, "a", links, [b"one", b"TWO", b"three", b"four"]) == [
        True,
        False,
        True,
        True,
    ]
    assert links_held(KEY, "a", links, groups[:2]) == [True, True, False, False]


def test_links_depend_on_key_label_place_and_all_before():
    links = list(chain_links(KEY, "a", [b"x", b"x"]))
    assert links[0] != links[1]
    assert links != list(chain_links(KEY, "b", [b"x", b"x"]))
    assert links != list(chain_links(b"j" * 32, "a", [b"x", b"x"]))
    assert links[1] != list(chain_links(KEY, "a", [b"y", b"x"]))[1]
    assert packet_tag(KEY, b"x") != packet_tag(b"j" * 32, b"x")


def test_symbols_survive_packing():
    kept = np.random.default_rng(0).integers(-1, 2, (50, 32)).astype(np.int8)
    assert np.array_equal(unpack(pack(kept)), kept)
    assert pack(kept).shape == (50, 8)
