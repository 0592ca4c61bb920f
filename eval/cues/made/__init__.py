"""Figures of cues on files made in code, one module a cue.

Each holds ``figures(n, seed) -> [(name, text)]``.
"""
