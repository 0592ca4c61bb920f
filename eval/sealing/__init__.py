"""How well sealed recordings tell edits from re-encoding, and where an edit is."""
