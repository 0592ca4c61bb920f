"""branches tests."""
