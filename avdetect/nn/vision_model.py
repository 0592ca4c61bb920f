"""A pretrained vision transformer as frame network: CLIP, DINO, DINOv2 or ViT by transformers.

Tuning the layer norms alone keeps what was learned from many pictures and still fits the task
(Yermakov et al. 2025 found it to generalise well from CLIP).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoModel, CLIPVisionModel
from transformers.image_processing_base import ImageProcessingMixin

from avdetect.errors import CheckpointError
from avdetect.nn.image_encoder import VIEW_CELLS, FaceForgery, view_of_face
from avdetect.nn.pretrained import load_pretrained, refuse_other_weights, weights_sha256
from avdetect.observation import FACE_CROP_PX

# Radford et al. 2021; Oquab et al. 2023; Dosovitskiy et al. 2020 and Caron et al. 2021 (DINO)
FAMILY = {
    "clip": CLIPVisionModel,
    "clip_vision_model": CLIPVisionModel,
    "dinov2": AutoModel,
    "vit": AutoModel,
}
_SETTING = "backbone"
_TUNES = ("frozen", "layer-norm")


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionModelSettings:
    """Which vision model, and what of it is trained; its kind stands in its own folder.

    Attributes:
        path: local folder as transformers writes it, ``preprocessor_config.json`` among it, or a
            hub id.
        tune: ``frozen``, or ``layer-norm`` for the scales and shifts of its layer norms.
        weights_sha256: of the model at ``path``, see `pinned`; None takes whatever lies there.
    """

    path: str
    tune: str
    weights_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VisionForgeryConfig:
    """The ``[config]`` table of a card whose frame network is a vision model.

    Attributes:
        backbone: which, and how it is tuned.
        token_width: length of a frame's token.
    """

    backbone: VisionModelSettings
    token_width: int = 64


def pinned(settings: VisionModelSettings) -> VisionModelSettings:
    """The same bound to the weights at ``path``: what is trained on them makes sense on no others.

    Raises:
        CheckpointError: as `VisionForgeryNet`.
    """
    return replace(settings, weights_sha256=_pretrained(settings)[2])


class VisionForgeryNet(nn.Module):
    """Face crops to `FaceForgery`; the map comes from the patch tokens.

    Raises:
        CheckpointError: if nothing is at the path, it is of another family, not whole or of other
            weights than pinned, or ``tune`` is unknown.
    """

    def __init__(self, config: VisionForgeryConfig) -> None:
        super().__init__()
        settings = config.backbone
        if settings.tune not in _TUNES:
            raise CheckpointError(
                f"backbone.tune {settings.tune!r}: want one of {', '.join(_TUNES)}"
            )
        self.token_width = config.token_width
        self.backbone, (mean, std), found = _pretrained(settings)
        refuse_other_weights(_SETTING, settings.path, found, settings.weights_sha256)
        self._tuned = settings.tune == "layer-norm"
        self.backbone.requires_grad_(False)
        for module in self.backbone.modules():
            if isinstance(module, nn.LayerNorm):
                module.requires_grad_(self._tuned)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1), persistent=False)
        shape: Any = self.backbone.config
        # DINOv2 is made for 518 px and reads fewer as well; the others read one size only.
        self._side = (
            min(shape.image_size, FACE_CROP_PX)
            if shape.model_type == "dinov2"
            else shape.image_size
        )
        self._grid = self._side // shape.patch_size
        width = shape.hidden_size
        self.norm = nn.LayerNorm(width)
        self.mask = nn.Linear(width, 1)
        self.token = nn.Linear(3 * width, config.token_width)
        self.score = nn.Linear(config.token_width, 1)

    def train(self, mode: bool = True) -> VisionForgeryNet:
        """As ever, but the vision model stays in eval mode: none of its dropout."""
        super().train(mode)
        self.backbone.eval()
        return self

    def forward(self, faces: Tensor) -> FaceForgery:
        """Judge faces.

        Args:
            faces: (B, 3, 224, 224) RGB in [0, 1].

        Raises:
            ShapeError: on any other shape.
        """
        size = (self._side, self._side)
        view = F.interpolate(view_of_face(faces), size, mode="bicubic", antialias=True)
        with torch.set_grad_enabled(torch.is_grad_enabled() and self._tuned):
            hidden = self.backbone(pixel_values=self._scaled(view)).last_hidden_state
        hidden = self.norm(hidden)
        whole, patches = hidden[:, 0], hidden[:, -(self._grid**2) :]  # registers lie between
        logits = self.mask(patches).float()
        weight = logits.sigmoid()
        marked = (patches * weight).sum(1) / (weight.sum(1) + 1.0)
        token = F.gelu(self.token(torch.cat([whole, patches.mean(1), marked], 1)))
        square = logits.reshape(-1, 1, self._grid, self._grid)
        cells = F.interpolate(
            square, (VIEW_CELLS, VIEW_CELLS), mode="bilinear", align_corners=False
        )
        return FaceForgery(token, self.score(token).squeeze(-1), cells.squeeze(1))

    def _scaled(self, view: Tensor) -> Tensor:
        """Pixels as the vision model expects them."""
        assert isinstance(self.mean, Tensor)
        assert isinstance(self.std, Tensor)
        return (view - self.mean) / self.std


def _pretrained(settings: VisionModelSettings) -> tuple[nn.Module, list[list[float]], str]:
    """Model, mean and deviation it expects of pixels, and the hash of all three."""
    model = load_pretrained(_SETTING, settings.path, FAMILY, {})
    try:
        expected, _ = ImageProcessingMixin.get_image_processor_dict(settings.path)
        scale = [[float(v) for v in expected[key]] for key in ("image_mean", "image_std")]
    except (OSError, ValueError, KeyError) as error:
        raise CheckpointError(
            f"backbone.path {settings.path!r}: lacks preprocessor_config.json with image_mean and "
            "image_std; put it there"
        ) from error
    return model, scale, weights_sha256(model, [*scale[0], *scale[1]])
