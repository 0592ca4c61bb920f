"""Measure source tracing: who made a picture or a voice, and what kind of design it has."""
