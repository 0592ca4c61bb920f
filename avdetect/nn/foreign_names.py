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


# fairseq's transformer to transformers' of wav2vec 2.0 and HuBERT
_TRANSFORMER_RULES: Rules = (
    (r"\bencoder\.pos_conv\.0\.bias$", "encoder.pos_conv_embed.conv.bias"),
    (
        r"\bencoder\.pos_conv\.0\.weight_g$",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original0",
    ),
    (
        r"\bencoder\.pos_conv\.0\.weight_v$",
        "encoder.pos_conv_embed.conv.parametrizations.weight.original1",
    ),
    (r"\.self_attn\.", ".attention."),
    (r"\.self_attn_layer_norm\.", ".layer_norm."),
    (r"\.fc1\.", ".feed_forward.intermediate_dense."),
    (r"\.fc2\.", ".feed_forward.output_dense."),
)

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
    (r"^ssl_model\.model\.encoder\.", _SPEECH + "encoder."),
    *_TRANSFORMER_RULES,
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
# github.com/facebookresearch/av_hubert, avhubert/hubert.py, avhubert/resnet.py
AV_HUBERT_RULES: Rules = (
    (r"^encoder\.w2v_model\.", ""),  # models fine-tuned to write down speech hold it so
    (r"^feature_extractor_video\.resnet\.frontend3D\.", "mouths.first."),
    (r"^feature_extractor_video\.resnet\.trunk\.", "mouths.trunk."),
    (r"^feature_extractor_video\.proj\.", "project_mouths."),
    (r"^feature_extractor_audio\.proj\.", "project_sound."),
    (r"^layer_norm\.", "norm."),
    (r"^post_extract_proj\.", "project."),
    (r"^(mouths\..*)\.bn([12])\.", r"\1.norm\2."),
    (r"^(mouths\..*)\.relu([12])\.", r"\1.prelu\2."),
    (r"^(mouths\..*)\.downsample\.", r"\1.shortcut."),
    *_TRANSFORMER_RULES,
)
# Trained along, but read by no forward pass here: a norm, and fairseq's masks and heads.
_UNUSED = re.compile(
    r"^(?:encoder\.\d\.0\.bn1\.|ssl_model\.model\.(?:quantizer|project_q|final_proj)\b"
    r"|decoder\.|(?:encoder\.w2v_model\.)?(?:final_proj|label_embs_concat|mask_emb)\b)"
)


def renamed(state: Mapping[str, Tensor], rules: Rules) -> dict[str, Tensor]:
    """Every tensor under our name: each rule's pattern is replaced, in order, wherever it fits."""
    return {_rename(name, rules): t for name, t in state.items() if not _UNUSED.match(name)}


def _rename(name: str, rules: Rules) -> str:
    for pattern, ours in rules:
        name = re.sub(pattern, ours, name)
    return name
