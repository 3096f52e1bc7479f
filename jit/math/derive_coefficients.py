#!/usr/bin/env python3
"""Derives the polynomial coefficients of jit/math/coefficients.hpp (weighted minimax, needs mpmath).

Usage: derive_coefficients.py > coefficients.hpp (five minutes; then ./dev fmt), or with names of tables

A table approximates sum c[k] x^k ~ g(x) so that max |w(x) (sum - g(x))| is least: w turns the error of g into the
relative error of the function that is assembled from it. Coefficients are rounded to the format one after another, from
c[0] up, and those left are fitted again, so that rounding the large ones costs next to nothing.
"""
import sys
from mpmath import mp, mpf, matrix, lu_solve, log, exp, expm1, log1p, tanh, erf, erfc, sin, cos, tan, sqrt, pi, cosh

mp.prec = 200
LN2 = log(mpf(2))
FORMATS = {"f32": 24, "f64": 53}
ONLY = sys.argv[1:] or None  # names of tables; all when none are given


def rounded(x, precision):
    """x rounded to nearest with `precision` significant bits."""
    if x == 0:
        return mpf(0)
    scale = mpf(2) ** (precision - 1 - int(mp.floor(mp.log(abs(x), 2))))
    return mp.nint(x * scale) / scale


def fit(g, w, low, high, fixed, count, points=220, rounds=70):
    """Coefficients of x^len(fixed) … x^(len(fixed)+count-1) that, with `fixed` before them, give the least weighted error.

    Lawson's iteration: weighted least squares, each point's weight multiplied by its error. Unlike Remez exchange it does
    not mind that powers without the fixed ones are no Chebyshev system on an interval around 0.
    """
    first = len(fixed)
    middle, radius = (low + high) / 2, (high - low) / 2
    grid = [middle - radius * mp.cos(pi * (k + mpf(1) / 2) / points) for k in range(points)]
    target = [w(x) * (g(x) - sum(c * x**k for k, c in enumerate(fixed))) for x in grid]
    rows = []
    for x in grid:
        row = [w(x) * x**first]
        for _ in range(count - 1):
            row.append(row[-1] * x)
        rows.append(row)
    measure = [mpf(1)] * points
    best = None
    for _ in range(rounds):
        a, b = matrix(count, count), matrix(count, 1)
        scaled = [[m * v for v in row] for m, row in zip(measure, rows)]
        for i in range(count):
            b[i] = sum(s[i] * t for s, t in zip(scaled, target))
            for j in range(i, count):
                a[i, j] = a[j, i] = sum(s[i] * row[j] for s, row in zip(scaled, rows))
        solution = lu_solve(a, b)
        c = [solution[k] for k in range(count)]
        error = [abs(sum(ck * v for ck, v in zip(c, row)) - t) for row, t in zip(rows, target)]
        worst = max(error)
        if best is None or worst < best[0]:
            best = (worst, c)
        measure = [m * e / worst for m, e in zip(measure, error)]
    return best


def table(name, g, w, low, high, degree, precision, refits=3):
    """The text of one table; the error that it reaches goes to stderr."""
    low, high, c = mpf(low), mpf(high), []
    for k in range(refits + 1):
        _, rest = fit(g, w, low, high, c, degree + 1 - len(c), rounds=40 if degree > 12 else 80)
        c += [rounded(x, precision) for x in (rest if k == refits else rest[:1])]
    worst = max(
        abs(w(x) * (sum(ck * x**k for k, ck in enumerate(c)) - g(x)))
        for x in (low + (high - low) * (k + mpf(1) / 3) / 800 for k in range(800))
    )
    reached = f"2^{float(mp.log(worst, 2)):.1f}"
    print(f"{name}: degree {degree}, error {reached}", file=sys.stderr, flush=True)
    body = ",\n    ".join(float(x).hex() for x in c)
    return (
        f"/// Weighted error {reached} on [{float(low):.6g}, {float(high):.6g}].\n"
        f"inline constexpr double {name}[] = {{\n    {body}}};\n"
    )


def series_safe(f, limit, radius=mpf(2) ** -60):
    """f, with its value `limit` at 0, where the formula divides by zero."""
    return lambda x: limit if abs(x) < radius else f(x)


def tables(fmt):
    p = FORMATS[fmt]
    single = fmt == "f32"
    half = LN2 / 2 * mpf("1.002")
    low, high = mpf(-1) / 3, mpf(1) / 3
    out = []

    def emit(name, *args):
        if ONLY is None or name in ONLY or f"{name}_{fmt}" in ONLY:
            out.append(table(f"{name}_{fmt}", *args, p))

    # exp(r) = 1 + r + r^2 q(r)
    emit("exp", series_safe(lambda r: (expm1(r) - r) / r**2, mpf(1) / 2), lambda r: r * r / exp(r), -half, half, 4 if single else 9)
    # 2^f = 1 + f q(f)
    emit("exp2", series_safe(lambda f: expm1(f * LN2) / f, LN2), lambda f: abs(f) / exp(f * LN2), -0.501, 0.501, 5 if single else 10)
    # expm1(r) = r + r^2 q(r), relative to expm1 itself
    emit("expm1", series_safe(lambda r: (expm1(r) - r) / r**2, mpf(1) / 2), lambda r: abs(r), -half, half, 5 if single else 10)
    # log(1 + f) = f + f^2 q(f)
    emit("log", series_safe(lambda f: (log1p(f) - f) / f**2, mpf(-1) / 2), lambda f: abs(f), low, high, 8 if single else 19)
    # log2(1 + f) = f log2 e + f^2 q(f)
    emit("log2", series_safe(lambda f: (log1p(f) - f) / f**2 / LN2, mpf(-1) / 2 / LN2), lambda f: abs(f), low, high, 8 if single else 19)
    # tanh(x) = x + x u q(u), u = x^2
    emit("tanh", series_safe(lambda u: (tanh(sqrt(u)) / sqrt(u) - 1) / u, mpf(-1) / 3), lambda u: abs(u), 0, 1.05, 7 if single else 15)
    # erf(x) = x + x q(u), u = x^2
    emit("erf_small", series_safe(lambda u: erf(sqrt(u)) / sqrt(u) - 1, 2 / sqrt(pi) - 1), lambda u: mpf(1), 0, 0.74, 6 if single else 11)
    # erfc(x) = exp(-(x + x q(x)))
    emit("erf_large", lambda x: -log(erfc(x)) / x - 1, lambda x: x * erfc(x) / erf(x), 0.84, 4 if single else 6, 6 if single else 18)
    # log2((1 + s) / (1 - s)) = s (c0 + c1 u + u^2 q(u)), u = s^2, with c0 = 2 log2 e, c1 = c0 / 3; relative to c0
    c0, top = 2 / LN2, (3 - 2 * sqrt(mpf(2))) ** 2 * mpf("1.001")
    emit("pow", lambda u: (mp.atanh(sqrt(u)) / sqrt(u) * c0 - c0 - c0 / 3 * u) / u**2, lambda u: u * u / c0, mpf(2) ** -40, top, 2 if single else 7)
    # sin(x) = x + x u q(u); cos(x) = 1 - u/2 + u^2 q(u)
    quarter = (pi / 4 * mpf("1.01")) ** 2
    emit("sin", series_safe(lambda u: (sin(sqrt(u)) / sqrt(u) - 1) / u, mpf(-1) / 6), lambda u: u, 0, quarter, 3 if single else 6)
    emit("cos", series_safe(lambda u: (cos(sqrt(u)) - 1 + u / 2) / u**2, mpf(1) / 24), lambda u: u * u, 0, quarter, 2 if single else 5)
    return out


def reduction(fmt):
    """Bits of 2/pi for the reduction of trig.hpp: for each range of exponents five chunks, after those that give whole turns."""
    p, top, width = (24, 128, 34) if fmt == "f32" else (53, 1024, 90)
    rows, scales, starts = [], [], []
    with mp.workprec(2 * top + 500):
        first = p + 2  # the exponent from which a bit of 2/pi contributes whole turns only
        while first < top:
            rest = 2 / pi
            if first > p + 2:
                unit = mpf(2) ** (p + 2 - first)
                rest -= mp.floor(rest / unit) * unit
            scale = {"f32": max(0, 20 * ((first - p - 2) // 17)), "f64": 400 if first > 400 else 0}[fmt]
            row = []
            for k in range(5):
                unit = mpf(2) ** (2 - first - p * k)
                chunk = mp.floor(rest / unit) * unit
                rest -= chunk
                row.append(float(chunk * mpf(2) ** scale).hex())
            rows.append("{" + ", ".join(row) + "}")
            scales.append(f"0x1p-{scale}")
            starts.append(f"0x1p{first}")
            first += width
    starts[0] = "0"
    n = len(rows)
    return (
        f"/// Where the ranges of trig.hpp begin, what arguments of each are scaled by, and their chunks of 2/pi, scaled up.\n"
        f"inline constexpr double range_start_{fmt}[] = {{{', '.join(starts)}}};\n"
        f"inline constexpr double range_scale_{fmt}[] = {{{', '.join(scales)}}};\n"
        f"inline constexpr double two_over_pi_{fmt}[{n}][5] = {{\n    " + ",\n    ".join(rows) + "};\n"
    )


if __name__ == "__main__":
    print("// Owns the polynomial coefficients of the mathematical functions; written by derive_coefficients.py.")
    print("#pragma once\n\n#include \"tessera/version.hpp\"\n\nTESSERA_BEGIN\nnamespace jit::math::detail {\n")
    for fmt in FORMATS:
        for text in tables(fmt):
            print(text)
        if ONLY is None or "reduction" in ONLY:
            print(reduction(fmt))
    print("}  // namespace jit::math::detail\nTESSERA_END")
