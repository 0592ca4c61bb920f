"""What each cue is worth: measured on the data folder, folds by source, useful or not."""
