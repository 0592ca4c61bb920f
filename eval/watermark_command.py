"""``python -m eval watermark-figures``: are open watermarks read, and read where there are none?"""

from __future__ import annotations

from typing import Annotated

import typer


def watermark_figures(
    n: Annotated[int, typer.Option("--n", min=1, help="pictures of 512 px, four faces each")] = 100,
) -> None:
    """Mark real photographs as generators do, save them in several ways, and read all of them."""
    # Here, so that commands without codecs need not wait for them.
    from avdetect.provenance.watermarks import MAX_CHANCE
    from eval.watermark_figures import watermark_table

    print(f"Of {n} real pictures of 512 px, how many are read (chance up to {MAX_CHANCE:.0e}):\n")
    for line in watermark_table(n):
        print(line, flush=True)
