"""Metrics on published score files against what the official scorers say of them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
from pathlib import Path

import numpy as np
import pytest

from eval import metrics
from eval.__main__ import main
from eval.metrics import SpeakerScores
from eval.shared_data import shared_path
from tests.shared import requires_shared

EXPECTED = json.loads(
    (Path(__file__).parents[1] / "golden" / "metrics_published_scorefiles.json").read_text("utf-8")
)
pytestmark = requires_shared


def unpacked(name: str, sha256: str | None = None) -> str:
    packed = shared_path(f"golden/{name}").read_bytes()
    content = gzip.decompress(packed)
    assert sha256 in (None, hashlib.sha256(content).hexdigest())
    return content.decode("utf-8")


def exactly(official):
    return pytest.approx(official, abs=1e-6)


@pytest.fixture(scope="module")
def asv_2019() -> SpeakerScores:
    name = EXPECTED["asv_file"].split()[0]
    rows = [line.split() for line in unpacked(name, EXPECTED["sha256"]).splitlines()]
    return SpeakerScores(
        *([float(row[2]) for row in rows if row[1] == kind] for kind in KINDS_2019)
    )


KINDS_2019 = ("target", "nontarget", "spoof")


@pytest.fixture(scope="module")
def fusion():
    """Columns of the ASVspoof 5 development file; ``kind`` 0 spoof, 1 target, 2 nontarget."""
    rows = list(csv.DictReader(io.StringIO(unpacked("asvspoof5_dev_scores_label.csv.gz"))))
    kind, cm, asv = (
        np.asarray([float(row[column]) for row in rows])
        for column in ("sasv_label", "cm_score", "asv_score")
    )
    return kind, cm, asv


def by_kind(kind, scores) -> SpeakerScores:
    return SpeakerScores(*(scores[kind == number] for number in (1, 2, 0)))


def test_asv_errors_of_asvspoof2019(asv_2019):
    sizes = [asv_2019.target.size, asv_2019.nontarget.size, asv_2019.fake.size]
    assert sizes == EXPECTED["n"]
    rates = metrics.asv_error_rates(asv_2019)
    assert rates.false_acceptance == exactly(EXPECTED["Pfa_asv"])
    assert rates.miss == exactly(EXPECTED["Pmiss_asv"])
    assert rates.fake_acceptance == exactly(EXPECTED["Pfa_spoof_asv"])
    labels = np.repeat((0, 1), sizes[:2])
    scores = -np.concatenate((asv_2019.target, asv_2019.nontarget))
    assert metrics.eer(labels, scores, compat="asvspoof5") == exactly(EXPECTED["asv_eer"])
    # The threshold shows in the rates: none lies between it and the next score.
    assert np.mean(asv_2019.target < EXPECTED["threshold"]) == rates.miss
    assert np.mean(asv_2019.nontarget >= EXPECTED["threshold"]) == rates.false_acceptance


@pytest.mark.parametrize("system", EXPECTED["systems"])
def test_detector_of_asvspoof2019(asv_2019, system):
    official = EXPECTED["systems"][system]
    text = unpacked(official["file"].split()[0], official["sha256"])
    rows = [line.split() for line in text.splitlines()]
    labels = np.asarray([row[2] == "spoof" for row in rows])
    scores = -np.asarray([float(row[3]) for row in rows])
    assert (labels.sum(), (~labels).sum()) == (official["n_spoof"], official["n_bona"])
    assert metrics.eer(labels, scores, compat="asvspoof5") == exactly(official["eer"])
    assert metrics.cllr(labels, scores) == exactly(official["cllr"])
    assert metrics.act_dcf(labels, scores) == exactly(official["actDCF"])
    min_dcf = metrics.min_dcf(labels, scores, compat="asvspoof5")
    assert min_dcf == exactly(official["asvspoof5_minDCF"])
    asv = metrics.asv_error_rates(asv_2019)
    for form, key in (("2021", "min_tDCF_2021"), ("2019", "min_tDCF_legacy2019")):
        ours = metrics.min_tdcf(labels, scores, asv, form=form, compat="asvspoof5")
        assert ours == exactly(official[key])
    attack_of = np.asarray([row[1] for row in rows])
    for attack, expected in official["per_attack_eer"].items():
        kept = ~labels | (attack_of == attack)
        ours = metrics.eer(labels[kept], scores[kept], compat="asvspoof5")
        assert ours == exactly(expected)


def test_asvspoof5_reference_point(fusion):
    official = EXPECTED["asvspoof5_dev_fusion_file"]
    kind, cm, _ = fusion
    assert official["labels"] == {str(k): int((kind == k).sum()) for k in (0.0, 1.0, 2.0)}
    labels, scores = kind == 0.0, -cm
    ours = [
        metrics.eer(labels, scores, compat="asvspoof5"),
        metrics.min_dcf(labels, scores, compat="asvspoof5"),
        metrics.cllr(labels, scores),
        metrics.act_dcf(labels, scores),
    ]
    keys = ("cm_eer", "cm_minDCF", "cm_cllr", "cm_actDCF")
    assert ours == exactly([official[key] for key in keys])
    assert ours == exactly([0.00619732, 0.016320, 0.028191, 0.018024])
    assert metrics.eer(labels, scores) == exactly(ours[0])
    assert metrics.min_cllr(labels, scores) <= ours[2]


def test_asvspoof5_tandem(fusion):
    official = EXPECTED["asvspoof5_dev_fusion_file"]
    kind, cm, asv = fusion
    assert official["sasv_rule"].startswith("asv + 0.05*cm")
    whole_system = by_kind(kind, asv + 0.05 * cm)
    assert metrics.a_dcf(whole_system, compat="asvspoof5") == exactly(official["a_dcf"])
    labels, scores = kind == 0.0, -cm
    tdcf = metrics.min_tdcf(labels, scores, metrics.ASVSPOOF5_ASV, compat="asvspoof5")
    assert tdcf == exactly(official["min_tdcf"])
    tandem = metrics.tandem_eer(labels, scores, by_kind(kind, asv))
    assert tandem == pytest.approx(official["t_eer"] / 100.0, abs=1e-8)


def test_asvspoof5_reference_point_from_the_command(fusion, tmp_path, capsys):
    kind, cm, _ = fusion
    rows = (
        f"{n},{'bonafide' if k else 'spoof'},{s}"
        for n, (k, s) in enumerate(zip(kind, cm, strict=True))
    )
    path = tmp_path / "scores.csv"
    path.write_text("\n".join(["id,label,score", *rows]) + "\n", "utf-8")
    for options in ([], ["--compat"]):
        assert main(["metrics", str(path), "--higher", "bonafide", "--draws", "3", *options]) == 0
        figures = json.loads(capsys.readouterr().out)
        shown = [figures[key] for key in ("eer", "min_dcf", "cllr", "act_dcf")]
        assert shown == exactly([0.00619732, 0.016320, 0.028191, 0.018024])
