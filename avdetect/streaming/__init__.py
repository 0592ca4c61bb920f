"""Calls that are on the line now: sound in as it arrives, judgements out while they talk."""
