"""The clips of `samples/`, made again from sources that may be redistributed."""
