"""Forensic cues: evidence beside the three branches, one file a cue."""
