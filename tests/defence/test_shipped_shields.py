"""The shields that ship: on the one face and the one voice of this repository."""

from __future__ import annotations

from functools import partial

import cv2
import numpy as np
import pytest
import torch

from avdetect.channels.codecs import through_codec
from avdetect.channels.picture_codecs import jpeg
from avdetect.checkpoint import models_dir
from avdetect.defence.face_shield import compose, find_changes
from avdetect.defence.fidelity import snr_db
from avdetect.defence.pictures import find_faces, read_photograph
from avdetect.defence.recordings import read_recording
from avdetect.defence.shield_models import (
    FACE_ROLE,
    VOICE_ROLE,
    find_shield,
    load_identities,
    load_speakers,
)
from avdetect.defence.speaker_features import embed
from avdetect.defence.voice_shield import find_voice_change
from avdetect.errors import CheckpointError
from avdetect.faces.align import align_face
from tests.paths import SAMPLES

MOST_BYTES = 1_600_000


def identity(net, picture: np.ndarray, mesh: np.ndarray) -> torch.Tensor:
    side = net.config.side_px
    crop = cv2.resize(align_face(picture, mesh), (side, side), interpolation=cv2.INTER_AREA)
    return net(torch.from_numpy(crop).permute(2, 0, 1)[None].float() / 255.0)[0]


def test_a_known_face_is_turned_away_at_35_db_before_and_after_jpeg_75():
    encoders, _ = load_identities(find_shield(FACE_ROLE))
    portrait = read_photograph(SAMPLES / "portrait_real.jpg")
    (mesh,) = find_faces(portrait).landmarks
    changes = find_changes(portrait, [mesh], encoders, least_psnr_db=35.0)
    shielded = compose(portrait, changes, 35.0)
    assert shielded.least_face_psnr_db >= 35.0
    for net in encoders:
        clean = identity(net, portrait, mesh)
        coded = float(clean @ identity(net, jpeg(portrait, 75), mesh))
        assert coded > 0.99
        assert float(clean @ identity(net, shielded.picture, mesh)) < coded - 0.05
        assert float(clean @ identity(net, jpeg(shielded.picture, 75), mesh)) < coded - 0.01


def test_a_known_voice_is_turned_away_at_25_db_before_and_after_codecs():
    nets, _ = load_speakers(find_shield(VOICE_ROLE))
    _, _, waveform = read_recording(SAMPLES / "call_synthetic.wav")
    speech = waveform[0, : 4 * 16_000]
    found = find_voice_change(speech, [partial(embed, net) for net in nets], least_snr_db=25.0)
    shielded = speech + found.change
    assert snr_db(speech, shielded) >= 24.999
    for net in nets:
        for codec in (None, "ulaw", "opus_16", "mp3_32"):
            sent = [w if codec is None else through_codec(w, codec) for w in (speech, shielded)]
            with torch.no_grad():
                clean, plain, away = (
                    embed(net, torch.from_numpy(np.asarray(w, np.float32))[None])[0]
                    for w in (speech, *sent)
                )
            assert float(clean @ away) < float(clean @ plain) - 0.1


@pytest.mark.parametrize("role", [FACE_ROLE, VOICE_ROLE])
def test_the_card_says_what_was_measured_and_what_undoes_it(role):
    name = find_shield(role)
    load = load_identities if role == FACE_ROLE else load_speakers
    _, shield = load(name)
    assert any("never saw" in claim for claim in shield.claims)
    assert "never prevents" in shield.limits
    assert (models_dir() / name / "weights.safetensors").stat().st_size < MOST_BYTES


def test_a_shield_of_the_other_role_is_refused():
    with pytest.raises(CheckpointError, match="not a face_shield"):
        load_identities(find_shield(VOICE_ROLE))
