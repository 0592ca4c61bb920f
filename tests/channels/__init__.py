"""channels tests."""
