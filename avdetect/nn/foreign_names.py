"""Names of other people's tensors, and ours for the same: one table per published layout."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from torch import Tensor

Rules = Sequence[tuple[str, str]]

_JOINT = "head.paths.{path}.{place}."
_GRAPH_RULES: Rules = (
    (r"pos_S", "head.position"),
    (r"master1", "head.paths.0.stack"),
    (r"master2", "head.paths.1.stack"),
    (r"out_layer\.", "classify."),
    (r"pool_S\.proj\.", "head.keep_spectral.gate."),
    (r"pool_T\.proj\.", "head.keep_temporal.gate."),
    (r"pool_hS1\.proj\.", "head.paths.0.keep_spectral.gate."),
    (r"pool_hT1\.proj\.", "head.paths.0.keep_temporal.gate."),
    (r"pool_hS2\.proj\.", "head.paths.1.keep_spectral.gate."),
    (r"pool_hT2\.proj\.", "head.paths.1.keep_temporal.gate."),
    (r"GAT_layer_S\.", "head.spectral."),
    (r"GAT_layer_T\.", "head.temporal."),
    (r"HtrgGAT_layer_ST11\.", _JOINT.format(path=0, place="first")),
    (r"HtrgGAT_layer_ST12\.", _JOINT.format(path=0, place="second")),
    (r"HtrgGAT_layer_ST21\.", _JOINT.format(path=1, place="first")),
    (r"HtrgGAT_layer_ST22\.", _JOINT.format(path=1, place="second")),
    # inside a layer
    (r"\.proj_type1\.", ".into_shared.0."),
    (r"\.proj_type2\.", ".into_shared.1."),
    (r"\.att_proj\.", ".similarity."),
    (r"\.att_projM\.", ".stack_similarity."),
    (r"\.att_weight$", ".relevance"),
    (r"\.att_weight11$", ".relevance_first"),
    (r"\.att_weight22$", ".relevance_second"),
    (r"\.att_weight12$", ".relevance_across"),
    (r"\.att_weightM$", ".stack_relevance"),
    (r"\.proj_with_att\.", ".from_neighbours."),
    (r"\.proj_without_att\.", ".from_itself."),
    (r"\.proj_with_attM\.", ".stack_from_nodes."),
    (r"\.proj_without_attM\.", ".stack_from_itself."),
    (r"^(head\..*)\.bn\.", r"\1.norm."),
)
_ENCODER_RULES: Rules = (
    (r"^encoder\.(\d)\.0\.", r"encoder.\1."),
    (r"^(encoder\.\d)\.bn2\.", r"\1.norm."),
    (r"^(encoder\.\d)\.conv_downsample\.", r"\1.shortcut."),
)
# github.com/clovaai/aasist, models/AASIST.py (MIT)
AASIST_RULES: Rules = (*_GRAPH_RULES, *_ENCODER_RULES, (r"^first_bn\.", "norm."))


_SPEECH = "speech_model."
# fairseq's wav2vec 2.0 under ``ssl_model.model.`` to transformers' Wav2Vec2Model
_FAIRSEQ_RULES: Rules = (
    (
        r"^ssl_model\.model\.feature_extractor\.conv_layers\.(\d+)\.0\.",
        _SPEECH + r"feature_extractor.conv_layers.\1.conv.",
    ),
    (
        r"^ssl_model\.model\.feature_extractor\.conv_layers\.(\d+)\.2(?:\.1)?\.",
        _SPEECH + r"feature_extractor.conv_layers.\1.layer_norm.",
    ),
    (r"^ssl_model\.model\.post_extract_proj\.", _SPEECH + "feature_projection.projection."),
    (r"^ssl_model\.model\.layer_norm\.", _SPEECH + "feature_projection.layer_norm."),
    (r"^ssl_model\.model\.mask_emb$", _SPEECH + "masked_spec_embed"),
    (
        r"^ssl_model\.model\.encoder\.pos_conv\.0\.bias$",
        _SPEECH + "encoder.pos_conv_embed.conv.bias",
    ),
    (
        r"^ssl_model\.model\.encoder\.pos_conv\.0\.weight_g$",
        _SPEECH + "encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    ),
    (
        r"^ssl_model\.model\.encoder\.pos_conv\.0\.weight_v$",
        _SPEECH + "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
    ),
    (r"^ssl_model\.model\.encoder\.", _SPEECH + "encoder."),
    (r"^(speech_model\..*)\.self_attn\.", r"\1.attention."),
    (r"^(speech_model\..*)\.self_attn_layer_norm\.", r"\1.layer_norm."),
    (r"^(speech_model\..*)\.fc1\.", r"\1.feed_forward.intermediate_dense."),
    (r"^(speech_model\..*)\.fc2\.", r"\1.feed_forward.output_dense."),
)
# github.com/TakHemlata/SSL_Anti-spoofing, model.py (MIT)
XLSR_AASIST_RULES: Rules = (
    *_FAIRSEQ_RULES,
    *_GRAPH_RULES,
    *_ENCODER_RULES,
    (r"^first_bn\.", "norm."),
    (r"^first_bn1\.", "norm_maps."),
    (r"^LL\.", "project."),
)
# Trained along, but read by no forward pass: a norm, and fairseq's heads for pre-training.
_UNUSED = re.compile(
    r"^(?:encoder\.\d\.0\.bn1\.|ssl_model\.model\.(?:quantizer|project_q|final_proj)\b)"
)


def renamed(state: Mapping[str, Tensor], rules: Rules) -> dict[str, Tensor]:
    """Every tensor under our name: each rule's pattern is replaced, in order, wherever it fits."""
    return {_rename(name, rules): t for name, t in state.items() if not _UNUSED.match(name)}


def _rename(name: str, rules: Rules) -> str:
    for pattern, ours in rules:
        name = re.sub(pattern, ours, name)
    return name
