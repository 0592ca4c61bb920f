"""Recipe of the model that names through which codecs a recording went."""
