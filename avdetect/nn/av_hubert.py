"""AV-HuBERT: one transformer over what is seen of a mouth and what is heard of its speech.

Shi et al., "Learning audio-visual speech representation by masked multimodal cluster prediction"
(2022, arXiv 2201.02184). Trained with either modality left out at random, it gives features of
mouths alone and of speech alone in one space, as AVH-Align uses it (Smeu et al. 2025).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from avdetect.errors import ShapeError
from avdetect.nn.mouth_resnet import MouthResNet


@dataclass(frozen=True, slots=True, kw_only=True)
class AvHubertSettings:
    """Sizes of the network; the defaults are those of the published base model.

    Attributes:
        width, n_layers, n_heads, inner_width: of the transformer.
        position_taps, position_groups: of the convolution that tells it the order of frames.
        sound_features: numbers of a 25 Hz frame of speech.
        mouth_widths: see `MouthResNet`.
    """

    width: int = 768
    n_layers: int = 12
    n_heads: int = 12
    inner_width: int = 3072
    position_taps: int = 128
    position_groups: int = 16
    sound_features: int = 104
    mouth_widths: tuple[int, ...] = (64, 64, 128, 256, 512)


class AvHubert(nn.Module):
    """Features of every 25 Hz frame, from mouths, from speech, or from both."""

    def __init__(self, settings: AvHubertSettings) -> None:
        super().__init__()
        self.settings = settings
        width = settings.width
        self.mouths = MouthResNet(settings.mouth_widths)
        self.project_mouths = nn.Linear(self.mouths.width, width)
        self.project_sound = nn.Linear(settings.sound_features, width)
        self.norm = nn.LayerNorm(2 * width)
        self.project = nn.Linear(2 * width, width)
        self.encoder = _transformer(settings)

    def forward(
        self,
        *,
        mouths: Tensor | None = None,
        sound: Tensor | None = None,
        heard: Tensor | None = None,
    ) -> Tensor:
        """Features of the last layer; a modality that is None enters as zeros.

        Args:
            mouths: (B, T, H, W) float32 grey, normalised; 88 px in the published models.
            sound: (B, T, ``sound_features``) float32, see `avdetect.nn.filter_banks`.
            heard: (B, T) bool; frames where it is False do not exist, and no other attends to them.

        Returns:
            (B, T, ``width``) float32.

        Raises:
            ShapeError: if neither is given, or both and of different lengths.
        """
        given = [self.project_sound(sound)] if sound is not None else []
        given += [self.project_mouths(self.mouths(mouths))] if mouths is not None else []
        if not given or any(features.shape != given[0].shape for features in given):
            lengths = [tuple(features.shape[:2]) for features in given]
            raise ShapeError(f"mouths and sound: want one, or both of one (B, T), got {lengths}")
        absent = torch.zeros_like(given[0])
        heard_features = given[0] if sound is not None else absent
        seen_features = given[-1] if mouths is not None else absent
        joined = self.project(self.norm(torch.cat([heard_features, seen_features], 2)))
        features: Tensor = self.encoder(joined, attention_mask=heard).last_hidden_state
        return features


def _transformer(settings: AvHubertSettings) -> nn.Module:
    # transformers takes seconds to import, and no other lip-sync network needs it.
    from transformers import HubertConfig
    from transformers.models.hubert.modeling_hubert import HubertEncoderStableLayerNorm

    config = HubertConfig(
        hidden_size=settings.width,
        num_hidden_layers=settings.n_layers,
        num_attention_heads=settings.n_heads,
        intermediate_size=settings.inner_width,
        num_conv_pos_embeddings=settings.position_taps,
        num_conv_pos_embedding_groups=settings.position_groups,
        hidden_dropout=0.0,  # it is never trained here
        attention_dropout=0.0,
        activation_dropout=0.0,
        layerdrop=0.0,
    )
    # This way of attending gives numbers even where a row of the batch hears nothing.
    config._attn_implementation = "eager"
    encoder: nn.Module = HubertEncoderStableLayerNorm(config)  # type: ignore[no-untyped-call]
    return encoder
