"""Protocols of live calls as state machines: messages in, events out; no sockets, no clocks."""
