"""One run of a model over a protocol: scan, keep every verdict, print the tables."""
