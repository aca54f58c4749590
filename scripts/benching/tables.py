"""Tables, for a terminal and for a page."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """Cells are texts; the first column is to the left, the others to the right."""

    title: str
    head: list
    rows: list
    note: str = ""


def of(title, rows, columns, note=""):
    """A table of rows. A column is its heading and what stands in it: a key, or a function of the row."""
    made = [[_shown(cell(row) if callable(cell) else row.get(cell)) for _, cell in columns] for row in rows]
    return Table(title, [head for head, _ in columns], made, note)


def _shown(value):
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    return f"{value:,.1f}" if isinstance(value, float) else f"{value:,}"


def ratio(of=""):
    """A column's cell: a median and its 95 % interval, 1.21 (1.19 to 1.24); `of` is what the keys begin with."""
    return between(f"{of}ratio", f"{of}low", f"{of}high")


def between(key, low, high):
    return lambda row: f"{row[key]:.2f} ({row[low]:.2f} to {row[high]:.2f})"


def terminal(table):
    lines = [[str(cell) for cell in line] for line in (table.head, *table.rows)]
    widths = [max(len(line[n]) for line in lines) for n in range(len(table.head))]
    text = [table.title] if table.title else []
    for line in lines:
        padded = [cell.rjust(width) for cell, width in zip(line, widths, strict=True)]
        text.append("  " + "  ".join([line[0].ljust(widths[0]), *padded[1:]]).rstrip())
    return "\n".join(text)


def markdown(table):
    lines = [f"**{table.title}**", ""] if table.title else []
    lines.append(f"| {' | '.join(table.head)} |")
    lines.append("|" + "|".join(["---", *["--:"] * (len(table.head) - 1)]) + "|")
    lines += [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in table.rows]
    if table.note:
        lines += ["", table.note]
    return "\n".join(lines)
