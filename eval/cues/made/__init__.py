"""Figures on files made in code, for what cues must find there: one file a cue."""
