"""voice_clone tests."""
