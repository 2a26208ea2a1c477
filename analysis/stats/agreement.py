"""Agreement between coders of open comments.

Cohen's kappa for two coders who give one code a comment, Krippendorff's alpha for any number of
coders, some comments left uncoded, and both theme by theme where a comment has several codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import ndtri

from analysis.stats.intervals import wilson

Array = NDArray[np.float64]
LEVELS = ("nominal", "ordinal", "interval")
THEME_COLUMNS = [
    "theme", "n", "first", "second", "observed",
    "kappa", "kappa_low", "kappa_high", "alpha", "alpha_low", "alpha_high",
]  # fmt: skip


@dataclass(frozen=True)
class Agreement:
    """Agreement beyond chance, with its interval.

    value: 1 is full agreement, 0 what chance gives, below 0 less than chance; value, low and high
    are NaN where the codes do not vary or no comment was coded twice. observed, expected: share of
    agreement seen and by chance (0 to 1), value = (observed - expected) / (1 - expected). n:
    comments coded at least twice.
    """

    value: float
    low: float
    high: float
    observed: float
    expected: float
    n: int


def cohen_kappa(first: pd.Series, second: pd.Series, confidence: float = 0.95) -> Agreement:
    """Cohen's kappa of two coders, unweighted, with its large-sample interval.

    first, second: one code a comment, on the same index; comments that either left uncoded are not
    in the base. Chance is that of each coder's own shares of codes. Where the standard error is 0
    (full agreement, mostly), the bounds are those that Wilson's bounds of the observed agreement
    give, the agreement by chance held fixed. ValueError: the indexes differ.
    Source: Cohen (1960), EPM 20; Fleiss, Cohen and Everitt (1969), Psychological Bulletin 72; as
    `cohen.kappa` of R package psych and `Kappa` of vcd.
    """
    table = _cross(first, second)
    n = int(table.sum())
    if not n:
        return Agreement(np.nan, np.nan, np.nan, np.nan, np.nan, 0)
    p = table / n
    rows, columns = p.sum(axis=1), p.sum(axis=0)
    observed, expected = float(np.trace(p)), float(rows @ columns)
    if expected >= 1:
        return Agreement(np.nan, np.nan, np.nan, observed, expected, n)
    kappa = (observed - expected) / (1 - expected)
    # Share of the second coder in the code of the row, and of the first in that of the column.
    crossed = columns[:, None] + rows[None, :]
    gradient = np.eye(len(p)) - (1 - kappa) * crossed
    variance = (p * gradient**2).sum() - (kappa - expected * (1 - kappa)) ** 2
    half = float(ndtri(0.5 + confidence / 2) * np.sqrt(max(variance, 0) / n)) / (1 - expected)
    if half < 1e-7:
        low, high = _from_wilson(round(observed * n), n, expected, confidence)
    else:
        low, high = max(-1.0, kappa - half), min(1.0, kappa + half)
    return Agreement(kappa, low, high, observed, expected, n)


def _cross(first: pd.Series, second: pd.Series) -> Array:
    """Comments by the code of each coder: a square table of counts."""
    if not first.index.equals(second.index):
        raise ValueError("the codes of the two coders are not on the same comments")
    both = (first.notna() & second.notna()).to_numpy()
    pair = np.concatenate([first.to_numpy(dtype=object)[both], second.to_numpy(dtype=object)[both]])
    codes, names = pd.factorize(pair)
    k, n = len(names), int(both.sum())
    return np.bincount(codes[:n] * k + codes[n:], minlength=k * k).reshape(k, k).astype(float)


def _from_wilson(agreed: int, n: int, expected: float, confidence: float) -> tuple[float, float]:
    """Bounds of a chance-corrected agreement from those of the observed one."""
    low, high = (float(bound) for bound in wilson(agreed, n, confidence))
    return max(-1.0, (low - expected) / (1 - expected)), (high - expected) / (1 - expected)


def krippendorff_alpha(
    codings: pd.DataFrame,
    level: str = "nominal",
    draws: int = 999,
    seed: int = 0,
    confidence: float = 0.95,
) -> Agreement:
    """Krippendorff's alpha of any number of coders, with a bootstrap interval.

    codings: comments by coders, one code each, missing where not coded; comments coded fewer than
    twice are not in the base. level: `nominal`; `ordinal`, codes in the order of their categories,
    or of their values; `interval`, codes are numbers. At the two last levels agreement is 1 less
    the squared distance over its maximum. The interval holds the percentiles of `draws` resamples
    of comments, chance taken anew in each; a resample with one single code is left out.
    Krippendorff's own draws pairs of codes and holds chance fixed; drawing comments keeps together
    what was said of each. Where no coders ever differ, resamples do not either: the bounds are
    those that Wilson's of the share of comments in agreement give; where all comments have the same
    disagreement, NaN. ValueError: another level.
    Source: Krippendorff (2019), Content Analysis, 4th ed., ch. 12; value as `kripp.alpha` of R
    package irr.
    """
    if level not in LEVELS:
        raise ValueError(f"no level {level!r}: one of {', '.join(LEVELS)}")
    values, counts = _code_counts(codings, level)
    counts = counts[counts.sum(axis=1) >= 2]
    n = len(counts)
    # Comments coded alike are one pattern: resampling costs no more for more comments.
    patterns, times = np.unique(counts, axis=0, return_counts=True)
    if len(values) < 2 or (counts.sum(axis=0) > 0).sum() < 2:
        full = 1.0 if n else np.nan
        return Agreement(np.nan, np.nan, np.nan, full, full, n)
    observed, expected = _disagreements(patterns, times[None, :].astype(float), values, level)
    alpha = float(1 - observed[0] / expected[0])
    if observed[0] == 0:
        _, unlike = _disagreements(patterns, times[None, :].astype(float), values, "nominal")
        low, high = _from_wilson(n, n, float(1 - unlike[0]), confidence)
    elif len(patterns) == 1:
        low = high = np.nan
    else:
        drawn = np.random.default_rng(seed).multinomial(n, times / n, draws).astype(float)
        again, chance = _disagreements(patterns, drawn, values, level)
        tail = (1 - confidence) / 2
        low, high = np.quantile(1 - again[chance > 0] / chance[chance > 0], [tail, 1 - tail])
    return Agreement(
        alpha, float(low), float(high), float(1 - observed[0]), float(1 - expected[0]), n
    )


def _code_counts(codings: pd.DataFrame, level: str) -> tuple[Array, Array]:
    """Value of each code, and how many coders gave it to each comment (comments by codes)."""
    ordered = [
        codes.dtype
        for _, codes in codings.items()
        if isinstance(codes.dtype, pd.CategoricalDtype) and codes.dtype.ordered
    ]
    flat = codings.to_numpy(dtype=object).ravel()
    given = pd.notna(flat)
    if ordered and all(kind == ordered[0] for kind in ordered):
        names = ordered[0].categories
        codes = names.get_indexer(pd.Index(flat[given], dtype=names.dtype))
    else:
        codes, names = pd.factorize(pd.Series(flat[given]).infer_objects(), sort=True)
    counts = np.zeros((len(codings), len(names)))
    comment = np.repeat(np.arange(len(codings)), codings.shape[1])[given]
    np.add.at(counts, (comment, codes), 1)
    values = np.asarray(names if level == "interval" else range(len(names)), dtype=np.float64)
    return values, counts


def _disagreements(patterns: Array, times: Array, values: Array, level: str) -> tuple[Array, Array]:
    """Observed and expected disagreement, from 0 to 1, of each set of comments.

    patterns: codes given in a comment (patterns by codes); times: how many comments have each
    pattern (sets by patterns). Expected is 0 where a set has one single code.
    """
    coded = patterns.sum(axis=1)
    ordered_pairs = patterns[:, :, None] * patterns[:, None, :]
    ordered_pairs -= patterns[:, :, None] * np.eye(patterns.shape[1])
    coincidences = np.tensordot(times, ordered_pairs / (coded - 1)[:, None, None], axes=1)
    totals = times @ patterns
    n = totals.sum(axis=1)
    apart = _distances(totals, values, level)
    observed = (coincidences * apart).sum(axis=(1, 2)) / n
    chance = totals[:, :, None] * totals[:, None, :]
    expected = (chance * apart).sum(axis=(1, 2)) / (n * (n - 1))
    return observed, expected


def _distances(totals: Array, values: Array, level: str) -> Array:
    """Squared distance of two codes over the largest (sets by codes by codes)."""
    if level == "nominal":
        return np.broadcast_to(1 - np.eye(len(values)), (len(totals), len(values), len(values)))
    # Codes of an order are as far apart as the ranks of those who got them.
    ranks = totals.cumsum(axis=1) - totals / 2
    place = ranks if level == "ordinal" else np.broadcast_to(values, totals.shape)
    apart = (place[:, :, None] - place[:, None, :]) ** 2
    largest = apart.max(axis=(1, 2), keepdims=True)
    return np.divide(apart, largest, out=np.zeros_like(apart), where=largest > 0)


def by_theme(
    first: pd.DataFrame,
    second: pd.DataFrame,
    draws: int = 999,
    seed: int = 0,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Agreement of two coders on each theme, where a comment may have several.

    first, second: comments by themes on the same index, boolean, all missing where the coder left
    the comment uncoded; a coder without a column for a theme never gave it. Base: comments
    both coded. Returns one row a theme (columns THEME_COLUMNS): n comments, how many of them have
    the theme by each coder, share of comments on which they agree, kappa and nominal alpha with
    intervals. ValueError: the indexes differ.
    """
    if not first.index.equals(second.index):
        raise ValueError("the themes of the two coders are not on the same comments")
    both = first.notna().any(axis=1) & second.notna().any(axis=1)
    one, two = (
        frame[both].astype("boolean").fillna(False).astype(bool) for frame in (first, second)
    )
    themes = list(dict.fromkeys([*first.columns, *second.columns]))
    rows = []
    for theme in themes:
        pair = pd.DataFrame({"first": one.get(theme, False), "second": two.get(theme, False)},
                            index=one.index)  # fmt: skip
        kappa = cohen_kappa(pair["first"], pair["second"], confidence)
        alpha = krippendorff_alpha(pair, "nominal", draws, seed, confidence)
        carried = (int(pair["first"].sum()), int(pair["second"].sum()))
        rows.append((theme, kappa.n, *carried, kappa.observed, kappa.value, kappa.low, kappa.high,
                     alpha.value, alpha.low, alpha.high))  # fmt: skip
    return pd.DataFrame(rows, columns=THEME_COLUMNS)
