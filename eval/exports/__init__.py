"""Scores in the official submission formats; the direction is turned here and nowhere else."""
