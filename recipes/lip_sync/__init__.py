"""lip_sync."""
