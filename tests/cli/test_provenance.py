"""``avdetect provenance`` as a shell sees it."""

from __future__ import annotations

import pytest

from avdetect.cli.app import run
from avdetect.provenance.origin import CredentialState, ProvenanceFindings
from tests.provenance.credentials import make_authority, manifest, sign_file
from tests.synth import photograph


@pytest.fixture(scope="module")
def authority():
    return make_authority()


@pytest.fixture(scope="module")
def signed(authority, tmp_path_factory):
    folder = tmp_path_factory.mktemp("signed")
    claims = manifest(generator="Evil\x1b[2J Painter")
    return sign_file(
        photograph(folder / "a.jpg"), folder / "b.jpg", authority, claims, "image/jpeg"
    )


def test_claims_are_printed_and_cannot_move_the_cursor(signed, capsys):
    assert run(["provenance", str(signed)]) == 0
    out = capsys.readouterr().out
    assert "no trust anchor vouches" in out
    assert "claimed step: c2pa.created, trainedAlgorithmicMedia" in out
    assert "SynthID" in out
    assert "\x1b" not in out


def test_trust_anchors_of_the_user_are_used(signed, authority, tmp_path, capsys):
    anchors = tmp_path / "anchors.pem"
    anchors.write_bytes(authority.root)
    assert run(["provenance", str(signed), "--trust-anchors", str(anchors), "--json"]) == 0
    found = ProvenanceFindings.model_validate_json(capsys.readouterr().out)
    assert found.credentials.state is CredentialState.TRUSTED


def test_what_cannot_be_read_exits_3_and_wrong_anchors_2(signed, tmp_path, capsys):
    assert run(["provenance", str(tmp_path / "absent.jpg")]) == 3
    assert run(["provenance", str(tmp_path)]) == 3
    assert run(["provenance", str(signed), "--trust-anchors", str(signed)]) == 2
    assert "holds no certificate" in capsys.readouterr().err
