"""The worth of cues: fitted on what `python -m eval cues --fresh` measured."""
