"""Train late and cross-attention fusion on forged variants of real talking heads."""
