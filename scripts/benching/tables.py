"""Tables, for a terminal and for a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Cells are texts; the first column is to the left, the others to the right."""

    title: str
    head: list
    rows: list
    note: str = ""


def terminal(table):
    lines = [[str(cell) for cell in line] for line in (table.head, *table.rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(table.head))]
    text = [table.title] if table.title else []
    for line in lines:
        cells = [cell.ljust(width) if n == 0 else cell.rjust(width) for n, (cell, width) in enumerate(zip(line, widths, strict=True))]
        text.append("  " + "  ".join(cells).rstrip())
    return "\n".join(text)


def markdown(table):
    lines = [f"**{table.title}**", ""] if table.title else []
    lines.append(f"| {' | '.join(str(cell) for cell in table.head)} |")
    lines.append("|" + "|".join(["---", *["--:"] * (len(table.head) - 1)]) + "|")
    lines += [f"| {' | '.join(str(cell).replace('|', chr(92) + '|') for cell in line)} |" for line in table.rows]
    if table.note:
        lines += ["", table.note]
    return "\n".join(lines)


def with_interval(row, key="ratio", low="low", high="high"):
    """1.21 (1.19 to 1.24)"""
    return f"{row[key]:.2f} ({row[low]:.2f} to {row[high]:.2f})"
