"""Train and measure source tracing of pictures and voices."""
