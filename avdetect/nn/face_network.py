"""The frame networks of the visual-forgery branch: small, mobile, or a pretrained vision model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

from avdetect.nn.image_encoder import FaceForgeryConfig, FaceForgeryNet
from avdetect.nn.mobile_forgery import MobileForgeryConfig, MobileForgeryNet

if TYPE_CHECKING:
    from avdetect.nn.vision_model import VisionForgeryConfig, VisionForgeryNet

# All take face crops and give `avdetect.nn.image_encoder.FaceForgery`.
FaceNetwork: TypeAlias = "FaceForgeryNet | MobileForgeryNet | VisionForgeryNet"
FaceConfig: TypeAlias = "FaceForgeryConfig | MobileForgeryConfig | VisionForgeryConfig"

# transformers takes seconds to import, and the shipped model does not need it: imported where used.


def read_face_config(table: Mapping[str, Any]) -> FaceConfig:
    """Read a ``[config]`` table: ``encoder`` means a mobile one, ``backbone`` a vision model.

    Raises:
        TypeError: on a key that is not known or missing.
    """
    if "encoder" in table:
        return MobileForgeryConfig(**table)
    if "backbone" not in table:
        return FaceForgeryConfig.from_table(dict(table))
    from avdetect.nn.vision_model import VisionForgeryConfig, VisionModelSettings

    return VisionForgeryConfig(**{**table, "backbone": VisionModelSettings(**table["backbone"])})


def build_face_network(config: FaceConfig) -> FaceNetwork:
    """The untrained network; raises `CheckpointError` if its vision model cannot be loaded."""
    if isinstance(config, FaceForgeryConfig):
        return FaceForgeryNet(config)
    if isinstance(config, MobileForgeryConfig):
        return MobileForgeryNet(config)
    from avdetect.nn.vision_model import VisionForgeryNet

    return VisionForgeryNet(config)


def pin_backbone(config: FaceConfig) -> FaceConfig:
    """The config with the hash of the vision model's weights in it, where it names one."""
    if isinstance(config, FaceForgeryConfig | MobileForgeryConfig):
        return config
    from avdetect.nn.vision_model import pinned

    return replace(config, backbone=pinned(config.backbone))
