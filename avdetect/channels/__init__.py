"""What happens to a voice between mouth and file: codecs, loss, rooms, noise."""
