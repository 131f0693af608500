"""Plots as SVG, by the standard library alone: panels of lines over one axis."""

from __future__ import annotations

import math
from dataclasses import dataclass
from html import escape

WIDTH, PANEL, LEFT, TOP = 860, 170, 80, 40
COLOURS = ["#2563eb", "#d97706", "#059669", "#9333ea"]


@dataclass
class Line:
    name: str
    points: list[tuple[float, float]]


@dataclass
class Panel:
    title: str
    lines: list[Line]


def nice(most: float) -> float:
    """The next 1, 2 or 5 times a power of ten."""
    if most <= 0:
        return 1.0
    power = 10 ** math.floor(math.log10(most))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= most)


def number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:g}"


def page(title: str, axis: str, panels: list[Panel]) -> str:
    """All panels from zero, one under the other."""
    width = WIDTH - LEFT - 30
    longest = max((x for panel in panels for line in panel.lines for x, _ in line.points),
                  default=1) or 1
    height = TOP + len(panels) * (PANEL + 50) + 20
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
             f'font-family="sans-serif" font-size="12">',
             f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
             f'<text x="{LEFT}" y="24" font-size="16">{escape(title)}</text>']
    for index, panel in enumerate(panels):
        top = TOP + index * (PANEL + 50) + 20
        most = nice(max((y for line in panel.lines for _, y in line.points), default=1))
        parts.append(f'<text x="{LEFT}" y="{top - 6}" fill="#444">{escape(panel.title)}</text>')
        for part in range(5):
            y = top + PANEL - PANEL * part / 4
            parts.append(f'<path d="M{LEFT} {y:.1f}h{width}" stroke="#ddd"/>'
                         f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end" fill="#666">'
                         f'{number(most * part / 4)}</text>')
        for colour, line in zip(COLOURS, panel.lines):
            path = " ".join(
                f"{'L' if at else 'M'}{LEFT + width * x / longest:.1f} "
                f"{top + PANEL - PANEL * y / most:.1f}" for at, (x, y) in enumerate(line.points))
            parts.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
            if line.name and line.points:
                y = top + PANEL - PANEL * line.points[-1][1] / most
                parts.append(f'<text x="{LEFT + width}" y="{y - 4:.1f}" text-anchor="end" '
                             f'fill="{colour}">{escape(line.name)}</text>')
        for part in range(6):
            parts.append(f'<text x="{LEFT + width * part / 5:.1f}" y="{top + PANEL + 16}" '
                         f'text-anchor="middle" fill="#666">{number(longest * part / 5)}</text>')
        parts.append(f'<text x="{LEFT + width}" y="{top + PANEL + 30}" text-anchor="end" '
                     f'fill="#666">{escape(axis)}</text>')
    return "\n".join(parts + ["</svg>"]) + "\n"
