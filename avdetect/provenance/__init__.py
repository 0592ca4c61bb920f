"""Provenance: is a file untouched, and what does it say of its own origin."""
