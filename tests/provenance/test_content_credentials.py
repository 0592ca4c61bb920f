"""Content Credentials signed in the test itself, read as trusted, untrusted, tampered, absent."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from avdetect.errors import UsageError
from avdetect.media.source import open_source
from avdetect.provenance.content_credentials import read_credentials, read_trust_anchors
from avdetect.provenance.origin import CredentialState
from tests.provenance.clips import moving, speech, write
from tests.provenance.credentials import (
    CAMERA,
    TRAINED,
    Authority,
    make_authority,
    manifest,
    sign_file,
)
from tests.synth import photograph

MIMES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".wav": "audio/wav",
    ".mp4": "video/mp4",
}


@pytest.fixture(scope="module")
def authority() -> Authority:
    return make_authority()


@pytest.fixture(scope="module")
def unsigned(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("unsigned")
    picture = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    return {
        ".jpg": photograph(folder / "a.jpg", picture),
        ".png": photograph(folder / "a.png", picture),
        ".wav": write(folder / "a.wav", speech(1.0)),
        ".mp4": write(folder / "a.mp4", speech(1.0), moving(1.0)),
    }


@pytest.fixture(scope="module", params=list(MIMES))
def signed(request, unsigned, authority, tmp_path_factory) -> Path:
    suffix = request.param
    target = tmp_path_factory.mktemp("signed") / f"signed{suffix}"
    return sign_file(unsigned[suffix], target, authority, manifest(), MIMES[suffix])


def credentials(path: Path, anchors: bytes | None = None):
    with open_source(path) as source:
        return read_credentials(source, None if anchors is None else anchors.decode())


def test_a_signer_that_the_users_anchors_vouch_for_is_trusted(signed, authority):
    found = credentials(signed, authority.root)
    assert found.state is CredentialState.TRUSTED
    assert found.signer == "Test Newsroom"
    assert found.problems == ()


def test_without_anchors_nobody_is_trusted(signed):
    found = credentials(signed)
    assert found.state is CredentialState.UNTRUSTED
    assert found.problems == ("signingCredential.untrusted",)


def test_anchors_of_somebody_else_do_not_help(signed):
    other = make_authority("Other Authority")
    assert credentials(signed, other.root).state is CredentialState.UNTRUSTED


def test_one_changed_byte_of_the_content_is_tampering(signed, authority, tmp_path):
    data = bytearray(signed.read_bytes())
    # In MP4 the manifest stands before the media, in the others the content ends the file.
    data[-40 if signed.suffix != ".png" else -200] ^= 0x01
    changed = tmp_path / signed.name
    changed.write_bytes(data)
    found = credentials(changed, authority.root)
    assert found.state is CredentialState.TAMPERED
    assert any(code.endswith(".mismatch") for code in found.problems)


def test_one_changed_byte_of_the_claim_is_tampering(signed, authority, tmp_path):
    data = signed.read_bytes()
    assert data.count(b"Test Painter") == 1
    changed = tmp_path / signed.name
    changed.write_bytes(data.replace(b"Test Painter", b"Best Painter"))
    # PNG guards its chunks by a checksum, so a changed manifest there is not even readable.
    states = {CredentialState.TAMPERED, CredentialState.UNREADABLE}
    assert credentials(changed, authority.root).state in states


@pytest.mark.parametrize("suffix", list(MIMES))
def test_a_file_without_a_manifest_has_none(unsigned, suffix):
    assert credentials(unsigned[suffix]).state is CredentialState.ABSENT


def test_a_format_that_cannot_carry_credentials_has_none(tmp_path):
    path = write(tmp_path / "a.ogg", speech(0.5))
    assert credentials(path).state is CredentialState.ABSENT


def test_what_the_manifest_claims_is_shown(signed):
    found = credentials(signed)
    assert found.claim_generator == "Test Painter 1.2"
    assert found.title == "a test"
    (action,) = found.actions
    assert (action.action, action.source_type) == ("c2pa.created", "trainedAlgorithmicMedia")


@pytest.mark.parametrize(("source_type", "made"), [(TRAINED, True), (CAMERA, False)])
def test_only_a_generative_source_is_made_by_a_model(
    unsigned, authority, tmp_path, source_type, made
):
    target = tmp_path / "a.jpg"
    sign_file(unsigned[".jpg"], target, authority, manifest(source_type), "image/jpeg")
    assert credentials(target).made_by_model is made


def test_trust_anchors_that_are_none_are_refused(tmp_path):
    (tmp_path / "no.pem").write_text("hello")
    with pytest.raises(UsageError, match="holds no certificate"):
        read_trust_anchors(tmp_path / "no.pem")
    with pytest.raises(UsageError, match="cannot be read"):
        read_trust_anchors(tmp_path / "absent.pem")
