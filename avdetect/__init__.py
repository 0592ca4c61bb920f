"""avdetect: one clip in, one calibrated verdict out, with the evidence."""
