"""Provenance findings of whole files: metadata, joined sentences, and what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from avdetect.errors import InputNotFoundError, UnreadableMediaError
from avdetect.provenance.inspection import inspect_provenance
from avdetect.provenance.origin import CredentialState, ProvenanceFindings
from avdetect.provenance.watermarks import KNOWN
from tests.provenance.clips import moving, speech, write
from tests.provenance.credentials import CAMERA, make_authority, manifest, sign_file
from tests.provenance.test_watermarks import marked, textured
from tests.synth import photograph

PROMPT = "a cat\nNegative prompt: dog\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 1"


def png(path: Path, packed: bool = False, **texts: str) -> Path:
    info = PngInfo()
    for key, text in texts.items():
        info.add_text(key, text, zip=packed)
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(path, pnginfo=info)
    return path


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    ("key", "text", "generator"),
    [
        ("parameters", PROMPT, "a Stable Diffusion WebUI"),
        ("workflow", '{"nodes": [{"id": 1}]}', "ComfyUI"),
        ("prompt", '{"3": {"class_type": "KSampler"}}', "ComfyUI"),
        ("invokeai_metadata", '{"model": 1}', "InvokeAI"),
        ("Software", "NovelAI", "NovelAI"),
    ],
)
def test_generators_that_name_themselves_in_png_text_are_told(
    tmp_path, key, text, generator, packed
):
    found = inspect_provenance(png(tmp_path / "a.png", packed, **{key: text}))
    assert [mark.generator for mark in found.metadata] == [generator]
    assert found.names_a_model
    assert any(generator in sentence for sentence in found.sentences)


def test_a_prompt_in_a_jpeg_comment_of_exif_is_told(tmp_path):
    exif = Image.Exif()
    exif.get_ifd(0x8769)[0x9286] = b"UNICODE\0" + PROMPT.encode("utf-16-be")
    path = tmp_path / "a.jpg"
    Image.fromarray(np.zeros((32, 32, 3), np.uint8)).save(path, exif=exif)
    (mark,) = inspect_provenance(path).metadata
    assert mark.generator == "a Stable Diffusion WebUI"


def test_innocent_texts_name_nobody(tmp_path):
    path = png(tmp_path / "a.png", Software="GIMP 2.10", Comment="Steps: first, cook the rice")
    assert inspect_provenance(path).metadata == ()


def test_a_marked_photograph_is_one_plain_sentence(tmp_path):
    path = photograph(tmp_path / "a.png", marked(textured(1), KNOWN[0].message))
    found = inspect_provenance(path)
    assert found.names_a_model
    assert any("watermark StableDiffusionV1" in sentence for sentence in found.sentences)


def test_nothing_found_is_said_to_prove_nothing(tmp_path):
    found = inspect_provenance(write(tmp_path / "a.mp4", speech(1.0), moving(1.0)))
    assert found.credentials.state is CredentialState.ABSENT
    assert not found.names_a_model
    assert "proves nothing" in found.sentences[-1]
    assert any(line.startswith("SynthID") for line in found.not_checked)


def test_sound_says_that_there_is_no_picture_to_look_at(tmp_path):
    found = inspect_provenance(write(tmp_path / "a.wav", speech(1.0)))
    assert "there is no picture" in found.not_checked[0]


def test_signed_photographs_tell_camera_from_model(tmp_path):
    source, authority = photograph(tmp_path / "a.jpg"), make_authority()
    model = sign_file(source, tmp_path / "m.jpg", authority, manifest(), "image/jpeg")
    camera = sign_file(source, tmp_path / "c.jpg", authority, manifest(CAMERA), "image/jpeg")
    found = inspect_provenance(model, trust_anchors=authority.root.decode())
    assert "a generative model made it" in found.sentences[1]
    assert "a signer you trust" in found.sentences[1]
    assert not inspect_provenance(camera).names_a_model


def test_findings_survive_their_json(tmp_path):
    found = inspect_provenance(png(tmp_path / "a.png", parameters=PROMPT))
    assert ProvenanceFindings.model_validate_json(found.to_json()) == found


def test_what_cannot_be_read_is_refused(tmp_path):
    with pytest.raises(InputNotFoundError):
        inspect_provenance(tmp_path / "absent.png")
    (tmp_path / "text.png").write_text("hello")
    with pytest.raises(UnreadableMediaError):
        inspect_provenance(tmp_path / "text.png")
