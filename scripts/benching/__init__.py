"""What `scripts/bench` is made of: one module for each part that is measured, and what they share.

A part is a module with

    TITLE                     a heading
    MEASURED                  a sentence or two: what is measured, and how
    measure(options)          runs it; returns rows
    tables(rows)              its rows as tables for people (tables.Table)
    curves(rows)              its rows as charts (curve.Chart); may be missing
    IN_NAMESPACES             whether `measure` wants network and mount namespaces of its own; may be missing

A row is a flat dictionary that JSON can hold: what it is about ("part", "rules", "links" ...), and what was measured. Where
a row has a "ratio" it is the median of the ratios of paired rounds, and "low" and "high" are its 95 % interval. So what one
machine has measured can be kept, shown and judged on another: `scripts/bench --from FILE`.

What we promise of the rows is in promises.py.
"""
