"""recipes tests."""
