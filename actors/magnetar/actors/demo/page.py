"""The demo's page: one self-contained HTML file with its charts as inline SVG."""

from __future__ import annotations

from html import escape
from math import log10
from typing import TYPE_CHECKING

from magnetar.actors.demo.screen import figures, ms, outcomes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from magnetar.actors.demo.run import Result

WIDTH, HEIGHT = 900, 220
LEFT, BOTTOM, TOP = 56, 28, 14
_COLOURS = {"confirmed": "#2f7d5b", "cancelled": "#b7791f", "refused": "#9b2c2c"}
_BUCKET = 100_000

_STYLE = """
:root { color-scheme: light dark; --ink: #1c2128; --soft: #667085; --line: #d9dee5; --paper: #ffffff; --card: #f7f8fa;
  --good: #2f7d5b; --bad: #b42318; --accent: #3056a8; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ee; --soft: #98a2b3; --line: #344054; --paper: #14171c;
  --card: #1c2027; --good: #5fbf94; --bad: #f97066; --accent: #84a9ff; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 980px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { font-size: 1.6rem; margin: 0 0 4px; } h2 { font-size: 1.05rem; margin: 36px 0 10px; }
p.lead { color: var(--soft); margin: 0 0 20px; }
.verdict { display: inline-block; padding: 4px 12px; border-radius: 999px; font-weight: 600; color: #fff; }
.verdict.good { background: #2f7d5b; } .verdict.bad { background: #b42318; }
.cards { display: grid; grid-template-columns: repeat(auto-fit, minmax(200px, 1fr)); gap: 10px; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 10px 14px; }
.card b { display: block; font-size: .8rem; color: var(--soft); font-weight: 500; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 12px; }
figure svg { width: 100%; height: auto; display: block; } figcaption { color: var(--soft); font-size: .85rem; }
svg text { fill: var(--soft); font: 12px system-ui, sans-serif; } svg .axis { stroke: var(--line); }
svg .bar { fill: var(--accent); } svg .dead { fill: var(--bad); opacity: .16; } svg .mark { stroke: var(--bad); }
ul.promises { list-style: none; padding: 0; margin: 0; }
ul.promises li { padding: 6px 0; border-bottom: 1px solid var(--line); display: grid; gap: 2px 10px;
  grid-template-columns: auto 1fr auto; }
li .sign { font-weight: 700; color: var(--good); } li.broken .sign { color: var(--bad); }
li .cases { color: var(--soft); font-variant-numeric: tabular-nums; }
li .witness { grid-column: 2 / -1; color: var(--bad); font-size: .9rem; }
footer { margin-top: 40px; color: var(--soft); font-size: .85rem; }
"""


def page(result: Result, *, bus: str, crash: str, seed: int) -> str:
    """The whole page as text."""
    word, kind = ("every invariant holds", "good") if result.ok else ("an invariant is broken", "bad")
    cards = "".join(f'<div class="card"><b>{escape(name)}</b>{escape(value)}</div>' for name, value in figures(result))
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Magnetar demo: {escape(word)}</title><style>{_STYLE}</style></head><body><main>
<h1>The shop, with a crash half-way</h1>
<p class="lead">On {escape(bus)}. Half-way the worker dies: {escape(crash)}. Then it is started again.</p>
<p><span class="verdict {kind}">{escape(word)}</span></p>
<div class="cards">{cards}</div>
<h2>What was promised, and what an independent read found</h2>
<ul class="promises">{"".join(_promises(result))}</ul>
<h2>Messages applied over time</h2>
<figure>{_over_time(result)}<figcaption>Committed messages in each tenth of a second.
Shaded: no worker.</figcaption></figure>
<h2>From published to committed</h2>
<figure>{_waits(result)}<figcaption>Share of messages that waited no longer than this. Those published while no worker
lived waited for the next one.</figcaption></figure>
<h2>How the orders ended</h2>
<figure>{_endings(result)}</figure>
<footer>Plan seed {seed}. Computed from the topics, the store, and the sender's own log, after
everything came to rest.</footer>
</main></body></html>
"""


def _promises(result: Result) -> list[str]:
    lines: list[str] = []
    for verdict in result.verdicts:
        sign, kind = ("✓", "") if verdict.holds else ("✗", ' class="broken"')
        broken = "".join(f'<span class="witness">{escape(witness)}</span>' for witness in verdict.broken)
        lines.append(
            f'<li{kind}><span class="sign">{sign}</span><span>{escape(verdict.promise)}</span>'
            f'<span class="cases">{verdict.cases:,} cases</span>{broken}</li>'
        )
    return lines


def _frame(body: str, height: int = HEIGHT) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img">{body}</svg>'


def _axis(height: int = HEIGHT) -> str:
    floor = height - BOTTOM
    return (
        f'<line class="axis" x1="{LEFT}" y1="{floor}" x2="{WIDTH - 10}" y2="{floor}"/>'
        f'<line class="axis" x1="{LEFT}" y1="{TOP}" x2="{LEFT}" y2="{floor}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str = "middle") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _over_time(result: Result) -> str:
    buckets: dict[int, int] = {}
    for at, count in result.measured.commits:
        bucket = (at - result.began_at) // _BUCKET
        buckets[bucket] = buckets.get(bucket, 0) + count
    last = max(buckets, default=1) + 1
    top = max(buckets.values(), default=1)
    wide, floor = (WIDTH - LEFT - 10) / last, HEIGHT - BOTTOM
    dead = [(moment - result.began_at) / _BUCKET for moment in (result.crashed_at, result.back_at)]
    parts = [
        (
            f'<rect class="dead" x="{LEFT + dead[0] * wide:.1f}" y="{TOP}" '
            f'width="{max(2.0, (dead[1] - dead[0]) * wide):.1f}" height="{floor - TOP}"/>'
        )
    ]
    for bucket, count in sorted(buckets.items()):
        tall = (floor - TOP) * count / top
        x, width = LEFT + bucket * wide, max(1.0, wide - 1)
        parts.append(f'<rect class="bar" x="{x:.1f}" y="{floor - tall:.1f}" width="{width:.1f}" height="{tall:.1f}"/>')
    step = max(1, round(last / 10 / 10))
    parts += [_text(LEFT + second * 10 * wide, HEIGHT - 8, f"{second} s") for second in range(0, last // 10 + 1, step)]
    parts += [_text(LEFT - 6, TOP + 8, f"{top:,}", "end"), _text(LEFT - 6, floor, "0", "end"), _axis()]
    return _frame("".join(parts))


def _waits(result: Result) -> str:
    """A cumulative curve over a logarithmic axis of time, one point for each percent."""
    waits = result.measured.waits
    if not waits:
        return _frame(_text(WIDTH / 2, HEIGHT / 2, "nothing was measured"))
    decades = (-3, -2, -1, 0, 1)
    floor = HEIGHT - BOTTOM
    points = [(result.measured.wait(share / 100), share) for share in range(101)]
    line = " ".join(f"{_log_x(wait):.1f},{floor - (floor - TOP) * share / 100:.1f}" for wait, share in points)
    parts = [_axis(), f'<polyline points="{line}" fill="none" stroke="var(--accent)" stroke-width="2"/>']
    parts += [_text(_log_x(10.0**decade), HEIGHT - 8, _duration(10.0**decade)) for decade in decades]
    parts += [_text(LEFT - 6, floor - (floor - TOP) * share / 100 + 4, f"{share} %", "end") for share in (0, 50, 100)]
    for share, name, anchor in ((0.5, "p50", "end"), (0.99, "p99", "start")):
        wait = result.measured.wait(share)
        x, beside = _log_x(wait), -6 if anchor == "end" else 6
        parts.append(f'<line class="mark" x1="{x:.1f}" x2="{x:.1f}" y1="{TOP}" y2="{floor}" stroke-dasharray="4 4"/>')
        parts.append(_text(x + beside, TOP + 30, f"{name} {ms(wait)}", anchor))
    return _frame("".join(parts))


def _log_x(wait: float) -> float:
    low, high = -3.3, 1.3
    return LEFT + (WIDTH - LEFT - 10) * (min(high, max(low, log10(max(wait, 1e-6)))) - low) / (high - low)


def _duration(seconds: float) -> str:
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"


def _endings(result: Result) -> str:
    endings = outcomes(result).most_common()
    return _frame("".join(_rows(endings)), 26 * len(endings) + 10)


def _rows(endings: Sequence[tuple[tuple[str, str], int]]) -> list[str]:
    top = max((count for _, count in endings), default=1)
    parts: list[str] = []
    for number, ((status, ended_by), count) in enumerate(endings):
        y = 8 + 26 * number
        wide = (WIDTH - 420) * count / top
        colour = _COLOURS.get(status, "#667085")
        parts.append(_text(290, y + 13, f"{status}: {ended_by.replace('_', ' ')}", "end"))
        parts.append(f'<rect x="300" y="{y}" width="{wide:.1f}" height="18" rx="3" fill="{colour}"/>')
        parts.append(_text(306 + wide, y + 13, f"{count:,}", "start"))
    return parts
