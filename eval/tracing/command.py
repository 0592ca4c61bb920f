"""``python -m eval trace-figures``: every figure of source tracing."""

from __future__ import annotations


def trace_figures() -> None:
    """Print every figure of source tracing from the out-of-fold tables under results/tracing."""
    from eval.tracing.design_figures import design_lines
    from eval.tracing.picture_figures import picture_lines
    from eval.tracing.voice_figures import voice_lines

    for section in (picture_lines, design_lines, voice_lines):
        for line in section():
            print(line)
        print()
