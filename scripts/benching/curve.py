"""Line charts as SVG, drawn by hand: both axes logarithmic, legible on white and on black."""

import html
import math
from dataclasses import dataclass

_WIDTH, _HEIGHT = 790, 420
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 230, 44, 56
# Told apart also by those who see no red or green: Okabe and Ito's set without its yellow and black; on black a little lighter.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")
_ON_BLACK = ("#4a9fd8", "#ee7733", "#22bb8e", "#dd99bb", "#9ad4f5", "#f0b840")
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 15px }
.ground { fill: #ffffff }
.grid { stroke: #d0d7de; stroke-width: 1 }
.axis { stroke: #57606a; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
COLOURS
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .ground { fill: #0d1117 }
  .grid { stroke: #30363d }
  .axis { stroke: #8b949e }
  ON_BLACK
}
"""


def _classes(colours):
    return " ".join(f".c{n} {{ color: {colour} }}" for n, colour in enumerate(colours))


@dataclass(frozen=True)
class Line:
    """Points from left to right. A solid line and the dashed one after it share a colour."""

    name: str
    points: list  # of (x, y)
    dashed: bool = False


@dataclass(frozen=True)
class Chart:
    """One drawing; `name` is its file's."""

    name: str
    title: str
    x: str  # what the axes are, with units
    y: str
    lines: list
    log_y: bool = True  # otherwise from 0 on


def _number(value):
    return f"{value:,.10g}"


class _Axis:
    """Where a value lies between two pixels."""

    def __init__(self, values, start, end, log):
        self.start, self.end, self.log = start, end, log
        low, high = min(values), max(values)
        if log:
            low, high = math.floor(math.log10(low) + 1e-9), math.ceil(math.log10(high) - 1e-9)
            high = max(high, low + 1)
            self.low, self.high = low, high
            self.ticks = [10.0**power for power in range(low, high + 1)]
            if high - low < 3:  # a decade alone says little
                self.ticks = [base * 10.0**power for power in range(low, high) for base in (1, 2, 5)] + [10.0**high]
        else:
            step = 10 ** math.floor(math.log10(high or 1))
            step *= next(part for part in (0.2, 0.5, 1, 2) if high / (step * part) <= 6)
            self.low, self.high = 0, step * math.ceil(high / step - 1e-9)
            self.ticks = [round(step * n, 10) for n in range(round(self.high / step) + 1)]

    def at(self, value):
        place = math.log10(value) if self.log else value
        return self.start + (place - self.low) / (self.high - self.low) * (self.end - self.start)


def _drawable(line, chart):
    """A logarithmic axis has no zero."""
    return [(x, y) for x, y in line.points if x > 0 and (y > 0 or not chart.log_y)]


def svg(chart):
    """The file."""
    lines = [Line(line.name, _drawable(line, chart), line.dashed) for line in chart.lines if _drawable(line, chart)]
    points = [point for line in lines for point in line.points]
    bottom, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    across = _Axis([x for x, _ in points], _LEFT, right, True)
    up = _Axis([y for _, y in points], bottom, _TOP, chart.log_y)
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img">',
        f"<title>{html.escape(chart.title)}</title>",
        f"<style>{_STYLE.replace('ON_BLACK', _classes(_ON_BLACK)).replace('COLOURS', _classes(_COLOURS))}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{_HEIGHT}"/>',
        f'<text class="title" x="{_LEFT}" y="24">{html.escape(chart.title)}</text>',
    ]
    for value in across.ticks:
        x = f"{across.at(value):.1f}"
        out.append(f'<line class="grid" x1="{x}" y1="{_TOP}" x2="{x}" y2="{bottom}"/>')
        out.append(f'<text x="{x}" y="{bottom + 18}" text-anchor="middle">{_number(value)}</text>')
    for value in up.ticks:
        y = f"{up.at(value):.1f}"
        out.append(f'<line class="grid" x1="{_LEFT}" y1="{y}" x2="{right}" y2="{y}"/>')
        out.append(f'<text x="{_LEFT - 8}" y="{y}" text-anchor="end" dominant-baseline="middle">{_number(value)}</text>')
    out.append(f'<path class="axis line" d="M{_LEFT} {_TOP}V{bottom}H{right}"/>')
    out.append(f'<text x="{(_LEFT + right) / 2}" y="{_HEIGHT - 14}" text-anchor="middle">{html.escape(chart.x)}</text>')
    middle = (_TOP + bottom) / 2
    out.append(f'<text transform="translate(18 {middle}) rotate(-90)" text-anchor="middle">{html.escape(chart.y)}</text>')
    out += _drawn(lines, across, up, right)
    return "\n".join([*out, "</svg>", ""])


def _drawn(lines, across, up, right):
    out, colour = [], -1
    for place, line in enumerate(lines):
        colour += not line.dashed or place == 0
        paint = f"c{colour % len(_COLOURS)}"
        path = "M" + "L".join(f"{across.at(x):.1f} {up.at(y):.1f}" for x, y in line.points)
        dash = ' stroke-dasharray="6 4"' if line.dashed else ""
        out.append(f'<path class="line {paint}" stroke="currentColor"{dash} d="{path}"/>')
        if not line.dashed:
            dots = [(f"{across.at(x):.1f}", f"{up.at(y):.1f}") for x, y in line.points]
            out += [f'<circle class="{paint}" cx="{x}" cy="{y}" r="3" fill="currentColor"/>' for x, y in dots]
        y = _TOP + 8 + 22 * place
        out.append(f'<path class="line {paint}" stroke="currentColor"{dash} d="M{right + 16} {y}h26"/>')
        out.append(f'<text x="{right + 50}" y="{y}" dominant-baseline="middle">{html.escape(line.name)}</text>')
    return out
