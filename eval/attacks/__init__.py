"""Attacks on our own detector: by gradient, by queries alone, and by laundering."""
