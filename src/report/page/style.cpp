#include <fmt/format.h>

#include "report/page/assets.h"

namespace hone::page {

namespace {

constexpr std::string_view colours = R"css(
:root {
  color-scheme: light dark;
  --paper: #ffffff; --ground: #f6f6f4; --ink: #1d2125; --dim: #62686f; --rule: #dcdedf; --grid: #ebecec;
  --accent: #1f5fbf; --good: #1a7f4b; --good-ground: #e2f3e9; --bad: #b3261e;
  --c0: #2563c9; --c1: #d9730d; --c2: #15896b; --c3: #b0429c; --c4: #7a6a10; --c5: #5c5fd6;
  --plus: 217 115 13; --minus: 37 99 201; --surprise: 150 60 160;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #1b1e22; --ground: #131518; --ink: #e4e6e8; --dim: #9aa1a9; --rule: #32373d; --grid: #272b30;
    --accent: #7fb0ff; --good: #6fd09b; --good-ground: #16362a; --bad: #ff8f85;
    --c0: #6ea8ff; --c1: #f5a04c; --c2: #4cc9a0; --c3: #e58fd4; --c4: #cfbf58; --c5: #a3a5ff;
    --plus: 245 150 60; --minus: 90 150 255; --surprise: 205 110 220;
  }
}
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); }
.c3 { --c: var(--c3); } .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
)css";

constexpr std::string_view layout = R"css(
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-behavior: smooth; }
body {
  margin: 0; background: var(--ground); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif;
}
header, main, footer { max-width: 1240px; margin: 0 auto; padding: 0 clamp(14px, 3vw, 32px); }
header { padding-top: 28px; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0; letter-spacing: -.015em; overflow-wrap: anywhere; }
h2 { font-size: 1.3rem; margin: 44px 0 14px; letter-spacing: -.01em; overflow-wrap: anywhere; }
h3 { font-size: 1.02rem; margin: 32px 0 6px; }
h4 { font-size: .875rem; margin: 0; font-weight: 600; overflow-wrap: anywhere; }
p { margin: 0 0 10px; }
a { color: var(--accent); text-decoration: none; }
a:hover { text-decoration: underline; }
nav { display: flex; flex-wrap: wrap; gap: 2px 18px; margin: 14px 0 20px; font-size: .9rem; }
nav a { overflow-wrap: anywhere; }
section { scroll-margin-top: 10px; }
footer { color: var(--dim); font-size: .8rem; margin-top: 48px; padding-bottom: 32px; }
.headline { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 14px; }
.state { font-size: .8rem; font-weight: 600; padding: 2px 10px; border-radius: 99px; border: 1px solid var(--rule); color: var(--dim); }
.state.running { color: var(--accent); border-color: currentColor; }
.state.finished { color: var(--good); background: var(--good-ground); border-color: transparent; }
.dim { color: var(--dim); font-weight: 400; }
.bad { color: var(--bad); }
.notes { margin-top: 14px; border-left: 3px solid var(--rule); padding: 2px 0 2px 12px; color: var(--dim); font-size: .875rem; overflow-wrap: anywhere; }
.notes p { margin: 0; }
.wide { overflow-x: auto; background: var(--paper); border: 1px solid var(--rule); border-radius: 8px; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: 6px 14px; text-align: left; vertical-align: top; }
thead th { color: var(--dim); font-weight: 500; font-size: .8rem; white-space: nowrap; border-bottom: 1px solid var(--rule); }
tbody + tbody tr:first-child > * { border-top: 1px solid var(--rule); }
.stages .number { white-space: nowrap; }
.number { text-align: right; }
.facts-table th { font-weight: 400; color: var(--dim); width: 34%; min-width: 120px; overflow-wrap: anywhere; }
.facts-table td { overflow-wrap: anywhere; }
.facts-table tr + tr > * { border-top: 1px solid var(--grid); }
summary { cursor: pointer; padding: 8px 0; font-weight: 600; font-size: .95rem; }
details > pre {
  margin: 0; padding: 14px; overflow-x: auto; background: var(--paper); border: 1px solid var(--rule); border-radius: 8px;
  font-size: .8rem; line-height: 1.45;
}
pre, .text, .tokens { font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", "Liberation Mono", monospace; }
)css";

constexpr std::string_view charts = R"css(
.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 14px; }
.chart { display: flex; flex-direction: column; margin: 0; padding: 12px 14px 8px; background: var(--paper); border: 1px solid var(--rule); border-radius: 8px; min-width: 0; }
.chart figcaption { display: flex; justify-content: space-between; align-items: baseline; gap: 10px; }
.chart output { color: var(--dim); font-size: .75rem; white-space: nowrap; font-variant-numeric: tabular-nums; }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 0 14px; margin: 2px 0 6px; padding: 0; font-size: .78rem; color: var(--dim); }
.legend li { overflow-wrap: anywhere; }
.legend b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
.legend i { display: inline-block; width: 10px; height: 3px; border-radius: 2px; margin-right: 6px; vertical-align: middle; background: var(--c); }
svg { display: block; margin-top: auto; flex: none; width: 100%; height: auto; touch-action: pan-y; }
svg text { font-size: 11px; fill: var(--dim); font-variant-numeric: tabular-nums; }
svg .y { text-anchor: end; }
svg .x { text-anchor: middle; }
svg path { fill: none; vector-effect: non-scaling-stroke; }
svg .grid { stroke: var(--grid); }
svg .base { stroke: var(--rule); }
svg .line { stroke: var(--c); stroke-width: 1.7; stroke-linejoin: round; stroke-linecap: round; }
svg .raw { stroke: var(--c); stroke-width: .8; stroke-linejoin: round; stroke-linecap: round; opacity: .32; }
svg circle { fill: var(--paper); stroke: var(--c); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
svg .cursor { stroke: var(--dim); stroke-dasharray: 2 3; visibility: hidden; }
svg.read .cursor { visibility: visible; }
.more { margin-top: 14px; }
)css";

constexpr std::string_view samples = R"css(
.card { background: var(--paper); border: 1px solid var(--rule); border-radius: 8px; padding: 12px 14px; margin: 0 0 12px; min-width: 0; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); gap: 4px 24px; }
.pair > div { min-width: 0; }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 330px), 1fr)); gap: 12px; }
.cards .card { margin: 0; }
.cards .pair { grid-template-columns: 1fr 1fr; gap: 4px 14px; }
.pair h4 { margin: 10px 0 8px; }
.label { font-size: .75rem; color: var(--dim); font-weight: 600; margin-top: 8px; }
.card > .label:first-child { margin-top: 0; }
.text {
  margin: 2px 0 4px; white-space: pre-wrap; overflow-wrap: anywhere; unicode-bidi: isolate; overflow: hidden;
  font-size: .84rem; line-height: 1.5;
}
.facts { display: flex; flex-wrap: wrap; gap: 0 14px; margin: 2px 0 0; font-size: .78rem; color: var(--dim); overflow-wrap: anywhere; }
.facts b { color: var(--ink); font-variant-numeric: tabular-nums; }
.tokens { white-space: pre-wrap; overflow-wrap: anywhere; overflow: hidden; font-size: .84rem; line-height: 1.9; margin-top: 2px; }
.tokens span { padding: 2px 1px; border-radius: 3px; unicode-bidi: isolate; box-shadow: inset 0 0 0 1px rgb(128 128 128 / .16); }
.tokens .dim { box-shadow: none; }
.tokens .nan { text-decoration: line-through; }
.scales { display: flex; flex-wrap: wrap; gap: 4px 40px; margin-bottom: 12px; }
.scale { display: flex; align-items: center; gap: 8px; font-size: .78rem; color: var(--dim); font-variant-numeric: tabular-nums; }
.scale i { display: block; width: 76px; height: 10px; border-radius: 3px; }
.scale.advantage i:nth-of-type(1) { background: linear-gradient(to right, rgb(var(--minus) / .72), transparent); }
.scale.advantage i:nth-of-type(2) { background: linear-gradient(to right, transparent, rgb(var(--plus) / .72)); }
.scale.logprob i { width: 150px; background: linear-gradient(to right, transparent, rgb(var(--surprise) / .72)); }
)css";

constexpr std::string_view paper = R"css(
@media (max-width: 480px) {
  header { padding-top: 18px; }
  h2 { margin-top: 34px; }
  th, td { padding: 6px 8px; }
  table { font-size: .82rem; }
  .stages td { min-width: 104px; }
  .stages .number { min-width: 0; }
}
@media print {
  body { background: none; font-size: 11px; }
  nav { display: none; }
  header, main, footer { max-width: none; padding: 0; }
  .charts { grid-template-columns: repeat(2, 1fr); }
  .chart, .card, tr { break-inside: avoid; }
  h2, h3 { break-after: avoid; }
  .wide, details > pre { overflow: visible; }
  details > pre { white-space: pre-wrap; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
)css";

/// Backgrounds of the shades p1 … p9 and n1 … n9 that heat maps use.
std::string shades() {
  std::string rules;
  for (int i = 1; i <= 9; ++i) {
    rules += fmt::format(
        ".p{0}{{background:rgb(var(--plus)/.{1:02})}}.n{0}{{background:rgb(var(--minus)/.{1:02})}}"
        ".logprob .n{0}{{background:rgb(var(--surprise)/.{1:02})}}\n",
        i, i * 8);
  }
  return rules;
}

}  // namespace

std::string style() { return fmt::format("{}{}{}{}{}{}", colours, layout, charts, samples, shades(), paper); }

}  // namespace hone::page
