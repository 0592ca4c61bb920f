"""Train, measure and export what `avdetect defend` shields from."""
