"""Small neural vocoders of our own: trained on human speech, used to forge its fake twins."""
