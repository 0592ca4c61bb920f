"""voice_clone."""
