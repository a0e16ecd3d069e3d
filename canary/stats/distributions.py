"""Conversions between p values, z and Student's t, exact far into the tails."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.floating[Any]]
Numbers = float | Floats

LARGEST_Z = 37.0
"""The largest z whose p value fits into a double; z is capped here."""


def upper_tail_z(p: Numbers) -> Floats:
    """Return z with P(Z > z) = p.

    >>> round(float(upper_tail_z(0.025)), 6)
    1.959964
    """
    z: Floats = np.clip(-special.ndtri(np.asarray(p, dtype=float)), -LARGEST_Z, LARGEST_Z)
    return z


def t_to_z(t: Numbers, df: Numbers) -> Floats:
    """Return the z with the tail probability of ``t`` in Student's distribution.

    >>> round(float(t_to_z(2.228139, 10)), 5)
    1.95996
    """
    t = np.asarray(t, dtype=float)
    z = upper_tail_z(special.stdtr(df, -np.abs(t)))
    signed: Floats = np.copysign(z, t)
    return signed


def z_to_t(z: Numbers, df: Numbers) -> Floats:
    """Return the t in Student's distribution with the tail probability of ``z``.

    >>> round(float(z_to_t(1.959964, 10)), 5)
    2.22814
    """
    z = np.asarray(z, dtype=float)
    t: Floats = np.copysign(-special.stdtrit(df, special.ndtr(-np.abs(z))), z)
    return t
