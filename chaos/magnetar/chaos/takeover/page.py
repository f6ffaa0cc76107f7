"""The report as one self-contained HTML file: the table, and for each row a line per shard over time."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from magnetar.chaos.takeover.run import LATE
from magnetar.chaos.takeover.table import cells, reasons, summary
from magnetar.runtime.instant import SECOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from magnetar.chaos.takeover.gaps import Gap, Passed
    from magnetar.chaos.takeover.rows import Row
    from magnetar.chaos.takeover.run import Showing
    from magnetar.runtime.instant import Instant

WIDTH, LEFT, TOP, LINE = 980, 92, 22, 9
BUCKET = SECOND // 10
"""Effects within a tenth of a second are one dot."""
SHOWN = SECOND // 2
"""A gap of this length is drawn."""
_HEADINGS = (
    *("event", "bound", "longest gap", "by handling", "counted", "delivered twice", "refused commits", "shards moved"),
    *("lost", "reordered", "applied twice", "forked", "otherwise wrong", "verdict"),
)

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --soft: #667085; --line: #d9dee5; --paper: #fff; --card: #f7f8fa;
  --good: #2f7d5b; --bad: #b42318; --doubt: #b7791f; --accent: #3056a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a2b3; --line: #344054; --paper: #14171c;
  --card: #1c2027; --good: #5fbf94; --bad: #f97066; --doubt: #e0b04c; --accent: #84a9ff; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1080px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.5rem; margin: 0 0 4px; } h2 { font-size: 1.05rem; margin: 36px 0 6px; }
p { color: var(--soft); margin: 0 0 14px; } .scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: 5px 8px; border-bottom: 1px solid var(--line); text-align: right; vertical-align: bottom; }
th { color: var(--soft); font-weight: 500; } td:first-child, th:first-child, td:nth-child(2),
  th:nth-child(2) { text-align: left; }
.kept { color: var(--good); } .BROKEN { color: var(--bad); font-weight: 700; } .unknown { color: var(--doubt); }
.not { color: var(--soft); } figure { margin: 0; background: var(--card);
  border: 1px solid var(--line); border-radius: 10px;
  padding: 10px; } figure svg { width: 100%; height: auto; display: block; }
svg text { fill: var(--soft); font: 8px system-ui, sans-serif; } svg .seconds { font-size: 11px; }
svg .live { stroke: var(--accent); stroke-width: 5; } svg .gap { stroke: var(--bad); stroke-width: 1.5; }
svg .band { fill: var(--doubt); opacity: .16; } svg .name { fill: var(--ink); font-size: 11px; }
svg .grid { stroke: var(--line); stroke-width: .5; }
"""


def page(showing: Showing) -> str:
    """The whole page as text."""
    report = showing.report
    words = {0: "every row is kept", 1: "a promise is broken", LATE: "a bound is exceeded; no order came to harm"}
    word = words.get(report.status, "nothing is broken, not all was shown")
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Takeover: {escape(word)}</title><style>{_STYLE}</style></head><body><main>
<h1>When workers die, freeze, are cut off, come and go</h1>
<p>{escape(word[0].upper() + word[1:])}. {escape(summary(report))}.</p>
<div class="scroll"><table><tr>{"".join(f"<th>{escape(heading)}</th>" for heading in _HEADINGS)}</tr>
{"".join(map(_line, report.rows))}</table></div>
<p>{"<br>".join(escape(reason.strip()) for reason in reasons(report))}</p>
{"".join(_figure(row, showing) for row in report.rows if row.end)}
<p>A line is a shard. Blue: within this tenth of a second something that it had decided was published, so the commit
before it was durable. Red: something waited for it, and for half a second or longer nothing was seen. Shaded: what was
done.</p>
</main></body></html>
"""


def _line(row: Row) -> str:
    figures = "".join(f"<td>{escape(cell)}</td>" for cell in (row.title, row.bound, *cells(row)))
    return f'<tr>{figures}<td class="{row.colour.value}">{escape(row.colour.value)}</td></tr>\n'


def _figure(row: Row, showing: Showing) -> str:
    shards = sorted(showing.gaps, key=_by_number)
    if not shards:
        return ""
    tall = TOP + LINE * len(shards) + 20
    scale = (WIDTH - LEFT - 10) / (row.end - row.begin)
    parts = [*_bands(row, scale, tall), *_seconds(row, scale, tall)]
    live = _live(showing.passed, row)
    for place, shard in enumerate(shards):
        y = TOP + LINE * place + LINE / 2
        parts.append(f'<text x="{LEFT - 4}" y="{y + 3:.1f}" text-anchor="end">{escape(shard)}</text>')
        parts.append(_dots(live.get(shard, set()), row, scale, y))
        parts.extend(_red(showing.gaps[shard], row, scale, y))
    return (
        f"<h2>{escape(row.title)}: {escape(row.colour.value)}</h2><p>{escape(row.machine)}</p>"
        f'<figure><svg viewBox="0 0 {WIDTH} {tall}" role="img">{"".join(parts)}</svg></figure>'
    )


def _by_number(shard: str) -> tuple[str, int]:
    actor, _, number = shard.rpartition("/")
    return actor, int(number)


def _x(at: Instant, row: Row, scale: float) -> float:
    return LEFT + (min(max(at, row.begin), row.end) - row.begin) * scale


def _bands(row: Row, scale: float, tall: int) -> Iterable[str]:
    for number, band in enumerate(row.bands):
        left, right = _x(band.begin, row, scale), _x(band.end, row, scale)
        wide, high = max(1.0, right - left), tall - TOP - 18
        yield f'<rect class="band" x="{left:.1f}" y="{TOP}" width="{wide:.1f}" height="{high}"/>'
        y = 9 + 10 * (number % 2)
        yield f'<text class="name" x="{left:.1f}" y="{y}">{escape(band.what)}</text>'


def _seconds(row: Row, scale: float, tall: int) -> Iterable[str]:
    for second in range(0, (row.end - row.begin) // SECOND + 1, 5):
        x = LEFT + second * SECOND * scale
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{tall - 18}"/>'
        yield f'<text class="seconds" x="{x:.1f}" y="{tall - 5}" text-anchor="middle">{second} s</text>'


def _live(passed: Sequence[Passed], row: Row) -> Mapping[str, set[int]]:
    """In which tenths of a second of the row something was seen of each shard."""
    found: dict[str, set[int]] = {}
    for each in passed:
        if row.begin <= each.seen <= row.end:
            found.setdefault(each.shard, set()).add((each.seen - row.begin) // BUCKET)
    return found


def _dots(buckets: set[int], row: Row, scale: float, y: float) -> str:
    """One path: a stroke for each run of tenths without a hole."""
    strokes: list[str] = []
    for bucket in sorted(buckets):
        if bucket - 1 not in buckets:
            end = bucket
            while end + 1 in buckets:
                end += 1
            left, right = (_x(row.begin + edge * BUCKET, row, scale) for edge in (bucket, end + 1))
            strokes.append(f"M{left:.1f},{y:.1f}H{right:.1f}")
    return f'<path class="live" d="{"".join(strokes)}"/>' if strokes else ""


def _red(found: Iterable[Gap], row: Row, scale: float, y: float) -> Iterable[str]:
    for gap in found:
        if gap.end - gap.begin >= SHOWN and row.begin <= gap.end and gap.begin <= row.end:
            left, right = _x(gap.begin, row, scale), _x(gap.end, row, scale)
            yield f'<line class="gap" x1="{left:.1f}" x2="{right:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
