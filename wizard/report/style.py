"""How report.html looks: quiet, light or dark as the reader's system is, and printable."""

from __future__ import annotations

STYLE = """
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --card: #ffffff; --ink: #1d2429; --soft: #5c6870; --line: #e2ded5;
  --accent: #0b6e75; --good: #1d7a4c; --bad: #b3361f; --code: #f3f1ea;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #12171a; --card: #1a2125; --ink: #e4e9eb; --soft: #9aa7ae; --line: #2c363b;
    --accent: #5fc4c9; --good: #6fcf97; --bad: #ff8f78; --code: #10161a;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
main { max-width: 54rem; margin: 0 auto; padding: 3rem 1.25rem 5rem; }
header { margin-bottom: 2.5rem; }
.mark { color: var(--soft); font-size: .85rem; letter-spacing: .04em; }
h1 { font-size: 2.1rem; line-height: 1.2; margin: .4rem 0 0; font-weight: 650; letter-spacing: -.01em; }
h1.good::before { content: "✓ "; color: var(--good); }
h1.bad::before { content: "✗ "; color: var(--bad); }
h2 { font-size: 1.2rem; margin: 2.75rem 0 .9rem; font-weight: 620; }
p { margin: .35rem 0; }
.soft { color: var(--soft); }
.tiles {
  display: grid; grid-template-columns: repeat(auto-fit, minmax(9.5rem, 1fr));
  gap: .75rem; margin: 1.5rem 0 0;
}
.tile { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; }
.tile b { display: block; font-size: 1.35rem; font-weight: 620; font-variant-numeric: tabular-nums; }
.tile span { color: var(--soft); font-size: .85rem; }
ol.todo { list-style: none; counter-reset: n; margin: 0; padding: 0; }
ol.todo > li {
  counter-increment: n; position: relative; background: var(--card); border: 1px solid var(--line);
  border-radius: .6rem; padding: .9rem 1.1rem .9rem 3.2rem; margin: 0 0 .7rem; break-inside: avoid;
}
ol.todo > li::before {
  content: counter(n); position: absolute; left: 1rem; top: .95rem; width: 1.5rem; height: 1.5rem;
  border-radius: 50%; background: var(--accent); color: var(--card); font-size: .85rem; font-weight: 650;
  display: grid; place-items: center;
}
ol.todo strong { font-weight: 600; }
pre, code { font: .86rem/1.55 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
pre {
  background: var(--code); border: 1px solid var(--line); border-radius: .4rem; padding: .6rem .8rem;
  margin: .6rem 0 0; white-space: pre-wrap; overflow-wrap: anywhere;
}
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
th { text-align: left; font-weight: 600; color: var(--soft); font-size: .82rem; }
th, td {
  padding: .45rem .7rem .45rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; overflow-wrap: anywhere;
}
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
h3 { font-size: 1rem; margin: 1.2rem 0 .1rem; font-weight: 600; }
.beyond p { max-width: 44rem; }
footer { margin-top: 3.5rem; color: var(--soft); font-size: .85rem; }
@media print {
  :root {
    --ground: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --code: #fff; --accent: #333;
  }
  body { font-size: 10.5pt; }
  main { max-width: none; padding: 0; }
  h2 { break-after: avoid; }
  tr, .tile { break-inside: avoid; }
}
"""
