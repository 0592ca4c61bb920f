"""Train and measure the visual-forgery branch."""
