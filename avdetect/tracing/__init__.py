"""Source tracing: which generator made a fake, and what kind of design it has."""
