"""Cross-attention over the branches' rows within one window.

Voice rows attend to mouth rows and mouth rows to voice rows; face rows attend to both; four verdict
queries (fake, audio, video, synchrony) attend to everything. Every branch may be absent.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from avdetect.nn.shapes import check_shape

# Beside its token a row carries: calibrated LLR / 3, weight, seconds from window start, presence.
N_FEATURES = 4
N_HEADS_OUT = 4  # fake, audio_fake, video_fake, out_of_sync


class _Attend(nn.Module):
    """Pre-norm residual cross-attention; a learned null key keeps empty sets well defined."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.query_norm = nn.LayerNorm(width)
        self.key_norm = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(width, heads, dropout=dropout, batch_first=True)
        self.null = nn.Parameter(torch.zeros(1, 1, width))
        self.feed = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, queries: Tensor, keys: Tensor, present: Tensor) -> Tensor:
        """(B, Q, W) queries, (B, K, W) keys, (B, K) bool presence of keys -> (B, Q, W)."""
        keys = torch.cat([self.null.expand(len(keys), -1, -1), self.key_norm(keys)], dim=1)
        absent = torch.cat([torch.zeros_like(present[:, :1]), ~present], dim=1)
        context, _ = self.attention(
            self.query_norm(queries), keys, keys, key_padding_mask=absent, need_weights=False
        )
        attended: Tensor = queries + context
        return attended + self.feed(attended)  # type: ignore[no-any-return]  # nn.Sequential


class FusionNetwork(nn.Module):
    """Rows of up to three branches in one window -> four logits and one pooling weight.

    Args:
        token_widths: branch name -> width of its tokens; fixes the order of inputs.
        width: common width.
        heads: attention heads.
        dropout: on attention weights and rows, in training only.
    """

    def __init__(
        self, token_widths: dict[str, int], *, width: int = 48, heads: int = 4, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.token_widths = dict(token_widths)
        self.project = nn.ModuleDict(
            {
                name: nn.Sequential(nn.LayerNorm(size), nn.Linear(size, width), nn.Dropout(dropout))
                for name, size in token_widths.items()
            }
        )
        self.describe = nn.ModuleDict({name: nn.Linear(2, width) for name in token_widths})
        self.modality = nn.ParameterDict(
            {name: nn.Parameter(0.02 * torch.randn(width)) for name in token_widths}
        )
        self.cross = nn.ModuleDict({name: _Attend(width, heads, dropout) for name in token_widths})
        self.queries = nn.Parameter(0.02 * torch.randn(1, N_HEADS_OUT, width))
        self.read = _Attend(width, heads, dropout)
        self.heads = nn.Linear(width, 1)
        self.head_bias = nn.Parameter(torch.zeros(N_HEADS_OUT))
        self.pooling = nn.Linear(width, 1)
        nn.init.zeros_(self.heads.weight)  # starts by saying nothing
        nn.init.zeros_(self.heads.bias)

    def forward(self, *rows: Tensor) -> Tensor:
        """One (B, L, D + 4) tensor per branch, in the order of ``token_widths`` -> (B, 5).

        Columns of the result: logits of fake, audio_fake, video_fake, out_of_sync, then
        the logit of the window's weight in pooling.
        """
        embedded: dict[str, Tensor] = {}
        present: dict[str, Tensor] = {}
        for (name, size), tensor in zip(self.token_widths.items(), rows, strict=True):
            check_shape(tensor, f"B L {size + N_FEATURES}", name)
            token, feature = tensor[..., :size], tensor[..., size:]
            present[name] = feature[..., 3] > 0.5
            x = self.project[name](token) + self.describe[name](feature[..., :2])
            embedded[name] = x + self.modality[name] + _clock(feature[..., 2], x.shape[-1])
        attended = [
            self.cross[name](embedded[name], *self._others(name, embedded, present))
            for name in self.token_widths
        ]
        verdict = self.read(
            self.queries.expand(len(rows[0]), -1, -1),
            torch.cat(attended, dim=1),
            torch.cat(list(present.values()), dim=1),
        )
        logits = self.heads(verdict).squeeze(-1) + self.head_bias
        return torch.cat([logits, self.pooling(verdict[:, 0])], dim=1)

    @staticmethod
    def _others(
        name: str, embedded: dict[str, Tensor], present: dict[str, Tensor]
    ) -> tuple[Tensor, Tensor]:
        # Voice and mouth look at each other; the face looks at both, neither looks at the face:
        # its rows come at another rate and say nothing of when something was spoken.
        seen = {"voice_clone": ("lip_sync",), "lip_sync": ("voice_clone",)}.get(
            name, ("voice_clone", "lip_sync")
        )
        keys = [other for other in seen if other in embedded]
        return torch.cat([embedded[k] for k in keys], 1), torch.cat([present[k] for k in keys], 1)


def _clock(seconds: Tensor, width: int) -> Tensor:
    """Sinusoidal embedding (Vaswani 2017) of (B, L) seconds, periods from 0.16 s to 40 s."""
    n = width // 2
    rates = 2 * math.pi / (0.16 * (250.0 ** torch.linspace(0, 1, n, device=seconds.device)))
    angles = seconds[..., None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=-1) * 0.1


def pool_windows(outputs: Tensor) -> Tensor:
    """Learned pooling over a clip's windows: (W, 5) network rows -> (4,) logits."""
    weights = outputs[:, N_HEADS_OUT].softmax(0)
    return (outputs[:, :N_HEADS_OUT] * weights[:, None]).sum(0)
