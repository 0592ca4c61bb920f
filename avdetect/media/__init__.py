"""Media: what a user hands in, decoded once onto one clock (`clip.open_clip`)."""
