"""docs/benchmarks.md and its charts."""

import textwrap

from . import curve, machine, promises, tables

_HEAD = """\
# Benchmarks

What wansplit costs, measured by one command:

    scripts/bench --write           # everything, and this page; {duration}
    scripts/bench --quick           # whether it works, in a few minutes; the numbers are rough
    scripts/bench --only apply      # a part: {parts}

It needs Debian, installs what is missing, and measures in network namespaces: nothing of the machine's own network is touched.

**Measured on** {machine}

**How.** Absolute times depend on the machine and on what else it does (a load above the number of its processors says that others
worked there too), so nothing is promised of them. What is compared is measured in turns, in a new random order each round; a
ratio is the median of the ratios of the rounds, with the 95 % interval of that median. The first rounds are thrown away. Counts
are strace's, in runs whose times do not count. Processor time is the scheduler's, in nanoseconds.

## What we promise, and whether it holds

{promises}
{reasons}
## What these numbers do not say

They come from one {kind} ({architecture}), with routers, providers and an Internet in network namespaces: cables that carry
nothing but our packets, and a processor many times as fast as a small router's. Ratios and counts carry over to a router
as far as its kernel and nft are like these; times do not. No real router, modem, PPP or hardware offload was measured. A
number here is that of one machine on one day.
"""


def write(folder, parts, rows):
    """The page and the folder of its charts; `parts`: modules by name."""
    charts = folder / "benchmarks"
    charts.mkdir(parents=True, exist_ok=True)
    for old in charts.glob("*.svg"):
        old.unlink()
    own = next(row for row in rows if row["part"] == "machine")
    verdicts = promises.judge(rows)
    broken = [own.promise for own in verdicts if not own.holds and own.promise.why]
    reasons = [textwrap.fill(f"**{own.text}**: not here. {' '.join(own.why.split())}", 126) + "\n" for own in broken]
    text = [_HEAD.format(
        duration="half an hour",
        parts=", ".join(f"`{name}`" for name in parts),
        machine=machine.sentence(own),
        promises=tables.markdown(promises.table(verdicts)),
        reasons="".join(f"\n{reason}" for reason in reasons),
        architecture=own["architecture"],
        kind="virtual machine" if own["virtual"] else "machine",
    )]
    for name, module in parts.items():
        mine = [row for row in rows if row["part"] == name]
        if not mine:
            continue
        text.append(f"## {module.TITLE}\n\n{module.MEASURED}\n")
        text += [tables.markdown(table) + "\n" for table in module.tables(mine) if table.rows]
        for chart in getattr(module, "curves", lambda _: [])(mine):
            if not any(line.points for line in chart.lines):
                continue
            (charts / f"{chart.name}.svg").write_text(curve.svg(chart), encoding="utf-8")
            text.append(f"![{chart.title}](benchmarks/{chart.name}.svg)\n")
    (folder / "benchmarks.md").write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")
