"""How concentrated amounts are: the Gini index and the share of the largest."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def gini(amounts: ArrayLike) -> float:
    """Gini index of amounts, between 0 (all equal) and 1 - 1/n (one has everything).

    amounts: none below 0, one a holder. Missing where there is nothing to share. The plain index,
    as of a complete count; a sample would be corrected by n / (n - 1) (Damgaard and Weiner 2000,
    Ecology 81:1139-1142).
    """
    held = np.sort(np.asarray(amounts, dtype=float))
    whole, n = held.sum(), len(held)
    if n == 0 or whole <= 0:
        return float("nan")
    return float(2 * (np.arange(1, n + 1) @ held) / (n * whole) - (n + 1) / n)
