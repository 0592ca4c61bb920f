"""nn tests."""
