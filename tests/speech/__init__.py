"""speech tests."""
