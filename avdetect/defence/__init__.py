"""Active defence: make a face or a voice harder to forge, and say how much harder."""
