"""Plots: four an answer, the same bytes each time, words as words."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from eval.peers import Peer
from eval.run.contenders import peer_contenders
from eval.run.plots import write_plots
from tests.eval.run.known import known_llrs, voice_rows
from tests.eval.run.test_figures import contender


def test_four_plots_an_answer_with_peers_and_figures_in_the_legend(tmp_path):
    peer = Peer(name="Oracle", kind="audio", scores={r.id: r.label == "fake" for r in voice_rows()})
    everybody = [contender(known_llrs()), *peer_contenders([peer])]
    written = write_plots(tmp_path / "a", voice_rows(), everybody)
    kinds = [path.stem.removeprefix("voice_clone_") for path in written]
    assert kinds == ["det", "roc", "reliability", "histogram"]
    texts = {kind: path.read_text() for kind, path in zip(kinds, written, strict=True)}
    for text in texts.values():
        assert ET.fromstring(text).tag.endswith("svg")
    assert "voice_clone: AUC 0.850" in texts["roc"]
    assert "Oracle: EER 0.0 %" in texts["det"]
    assert "real clips flagged (false alarms), %" in texts["det"]
    assert "Cllr" in texts["reliability"]
    assert "fake: 10 clips" in texts["histogram"]
    again = write_plots(tmp_path / "b", voice_rows(), everybody)
    assert [a.read_bytes() for a in written] == [b.read_bytes() for b in again]


def test_an_answer_without_both_classes_has_no_plot(tmp_path):
    assert not write_plots(tmp_path, voice_rows()[::2], [contender(known_llrs())])
