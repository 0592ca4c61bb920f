"""One thread per test process: two of them share two cores without fighting over them."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # read when torch is first imported
