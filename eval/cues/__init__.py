"""What cues are worth: measured on shared data and on files made in code."""
