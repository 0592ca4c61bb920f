"""AV-HuBERT once more, under the names of its published files and written apart from ours."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH, INNER, SOUND = 128, 24, 104  # 128 is two attention heads of 64
WIDTHS = (4, 4, 6, 8, 10)
CFG: dict[str, Any] = {
    "model": {"_name": "av_hubert", "layer_norm_first": True, "modality_fuse": "concat"},
    "task": {"_name": "av_hubert_pretraining", "normalize": True, "stack_order_audio": 4},
}


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(n_in, n_out, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(n_out)
        self.relu1 = nn.PReLU(n_out)
        self.relu2 = nn.PReLU(n_out)
        self.conv2 = nn.Conv2d(n_out, n_out, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(n_out)
        if stride != 1 or n_in != n_out:
            self.downsample = nn.Sequential(
                nn.Conv2d(n_in, n_out, 1, stride, bias=False), nn.BatchNorm2d(n_out)
            )

    def forward(self, x: Tensor) -> Tensor:
        aside = self.downsample(x) if hasattr(self, "downsample") else x
        x = self.bn2(self.conv2(self.relu1(self.bn1(self.conv1(x)))))
        return self.relu2(x + aside)


class _Trunk(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for number in range(1, 5):
            n_in, n_out = WIDTHS[number - 1], WIDTHS[number]
            first = _Block(n_in, n_out, 1 if number == 1 else 2)
            setattr(self, f"layer{number}", nn.Sequential(first, _Block(n_out, n_out, 1)))

    def forward(self, x: Tensor) -> Tensor:
        return self.layer4(self.layer3(self.layer2(self.layer1(x)))).mean((2, 3))


class _ResNet(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.frontend3D = nn.Sequential(
            nn.Conv3d(1, WIDTHS[0], (5, 7, 7), (1, 2, 2), (2, 3, 3), bias=False),
            nn.BatchNorm3d(WIDTHS[0]),
            nn.PReLU(WIDTHS[0]),
            nn.MaxPool3d((1, 3, 3), (1, 2, 2), (0, 1, 1)),
        )
        self.trunk = _Trunk()

    def forward(self, video: Tensor) -> Tensor:
        maps = self.frontend3D(video)
        return torch.stack([self.trunk(maps[:, :, t]) for t in range(maps.shape[2])], 1)


class _Extractor(nn.Module):
    def __init__(self, n_in: int, resnet: nn.Module | None) -> None:
        super().__init__()
        if resnet is not None:
            self.resnet = resnet
        self.proj = nn.Linear(n_in, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        return self.proj(self.resnet(x) if hasattr(self, "resnet") else x)


class _Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, nn.Linear(WIDTH, WIDTH))

    def forward(self, x: Tensor, absent: Tensor | None) -> Tensor:
        found, _ = F.multi_head_attention_forward(
            *[x.transpose(0, 1)] * 3,
            WIDTH,
            WIDTH // 64,
            None,
            torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias]),
            None,
            None,
            False,
            0.0,
            self.out_proj.weight,
            self.out_proj.bias,
            training=False,
            key_padding_mask=absent,
            need_weights=False,
            use_separate_proj_weight=True,
            q_proj_weight=self.q_proj.weight,
            k_proj_weight=self.k_proj.weight,
            v_proj_weight=self.v_proj.weight,
        )
        return found.transpose(0, 1)


class _Layer(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.self_attn = _Attention()
        self.self_attn_layer_norm = nn.LayerNorm(WIDTH)
        self.fc1 = nn.Linear(WIDTH, INNER)
        self.fc2 = nn.Linear(INNER, WIDTH)
        self.final_layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, absent: Tensor | None) -> Tensor:
        x = x + self.self_attn(self.self_attn_layer_norm(x), absent)
        return x + self.fc2(F.gelu(self.fc1(self.final_layer_norm(x))))


class _Position(nn.Conv1d):
    """A convolution whose weight is stored as a length of every tap and a direction."""

    def __init__(self) -> None:
        super().__init__(WIDTH, WIDTH, 8, padding=4, groups=4)
        direction = self.weight.data
        del self.weight
        self.weight_g = nn.Parameter(torch.rand(1, 1, 8) + 0.5)
        self.weight_v = nn.Parameter(direction)

    def forward(self, x: Tensor) -> Tensor:
        weight = self.weight_g * self.weight_v / self.weight_v.norm(dim=(0, 1), keepdim=True)
        return F.gelu(F.conv1d(x, weight, self.bias, padding=4, groups=4)[:, :, :-1])


class _Encoder(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.pos_conv = nn.Sequential(_Position())
        self.layers = nn.ModuleList(_Layer() for _ in range(2))
        self.layer_norm = nn.LayerNorm(WIDTH)

    def forward(self, x: Tensor, absent: Tensor | None) -> Tensor:
        if absent is not None:
            x = x.masked_fill(absent[:, :, None], 0.0)
        x = x + self.pos_conv(x.transpose(1, 2)).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, absent)
        return self.layer_norm(x)


class PublishedAvHubert(nn.Module):
    """The network with its heads for pre-training, random and tiny."""

    def __init__(self) -> None:
        super().__init__()
        self.mask_emb = nn.Parameter(torch.rand(SOUND))
        self.label_embs_concat = nn.Parameter(torch.rand(7, 5))
        self.feature_extractor_audio = _Extractor(SOUND, None)
        self.feature_extractor_video = _Extractor(WIDTHS[-1], _ResNet())
        self.post_extract_proj = nn.Linear(2 * WIDTH, WIDTH)
        self.encoder = _Encoder()
        self.layer_norm = nn.LayerNorm(2 * WIDTH)
        self.final_proj = nn.Linear(WIDTH, 5)

    def forward(
        self, sound: Tensor | None, video: Tensor | None, absent: Tensor | None = None
    ) -> Tensor:
        """(B, T, 104) and (B, 1, T, 88, 88), either None, to (B, T, 128)."""
        heard = None if sound is None else self.feature_extractor_audio(sound)
        seen = None if video is None else self.feature_extractor_video(video)
        there = seen if heard is None else heard
        joined = [torch.zeros_like(there) if x is None else x for x in (heard, seen)]
        return self.encoder(self.post_extract_proj(self.layer_norm(torch.cat(joined, 2))), absent)


def published(seed: int = 0) -> PublishedAvHubert:
    """A random one whose norms, of batches too, are not those it was born with."""
    torch.manual_seed(seed)
    net = PublishedAvHubert().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d | nn.LayerNorm):
            nn.init.uniform_(module.weight, 0.5, 1.5)
            nn.init.normal_(module.bias, 0.0, 0.1)
        if isinstance(module, nn.BatchNorm2d | nn.BatchNorm3d):
            module.running_mean.normal_(0.0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
        if isinstance(module, nn.PReLU):
            nn.init.uniform_(module.weight, 0.1, 0.4)
    return net
