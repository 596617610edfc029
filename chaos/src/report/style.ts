/**
 * Looks of the report: one style sheet, light and dark by what the reader's system prefers. Charts
 * use the same variables. Colours of series are those of Okabe and Ito, told apart by all eyes.
 */
export const variables = `
  --page: #ffffff; --card: #f7f8fa; --text: #1b1f24; --soft: #5c6670; --line: #d9dee3;
  --good: #1a7f46; --bad: #c4314b; --doubt: #a15c00;
  --c1: #0072b2; --c2: #d55e00; --c3: #009e73; --c4: #a6477d; --c5: #8a6d00; --c6: #2a86c8; --c7: #55606a;
  --fault: #d55e00; --fault-area: rgba(213, 94, 0, 0.12);
  --up: #b9d9c8; --paused: #e8c36a; --down: #c4314b; --hurt: #e79a6b;`;

export const darkVariables = `
  --page: #14171a; --card: #1c2126; --text: #e6e9ec; --soft: #9aa5b0; --line: #363d45;
  --good: #4cc38a; --bad: #ff6b81; --doubt: #e8b04a;
  --c1: #56b4e9; --c2: #ff9248; --c3: #3fc79a; --c4: #d98bb8; --c5: #e6c84c; --c6: #8fc7f2; --c7: #b3bcc5;
  --fault: #ff9248; --fault-area: rgba(255, 146, 72, 0.16);
  --up: #2f5a45; --paused: #8f7427; --down: #a83246; --hurt: #8c5230;`;

export const styleSheet = `
:root { color-scheme: light dark; ${variables} }
@media (prefers-color-scheme: dark) { :root { ${darkVariables} } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, 'Segoe UI', sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 24px 20px 64px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 40px 0 8px; } h3 { font-size: 15px; margin: 20px 0 6px; }
p { margin: 6px 0; max-width: 75ch; } .soft { color: var(--soft); }
.verdict { border-left: 6px solid var(--soft); background: var(--card); padding: 14px 18px; margin: 16px 0; border-radius: 4px; }
.verdict strong { font-size: 19px; display: block; }
.verdict.pass { border-color: var(--good); } .verdict.pass strong { color: var(--good); }
.verdict.fail { border-color: var(--bad); } .verdict.fail strong { color: var(--bad); }
.verdict.vacuous, .verdict.unavailable { border-color: var(--doubt); } .verdict.vacuous strong, .verdict.unavailable strong { color: var(--doubt); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 10px; margin: 16px 0; }
.tile { background: var(--card); border-radius: 4px; padding: 10px 14px; }
.tile b { display: block; font-size: 22px; font-variant-numeric: tabular-nums; } .tile span { color: var(--soft); font-size: 13px; }
.tile.bad b { color: var(--bad); } .tile.good b { color: var(--good); }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { text-align: right; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child, td.text, th.text { text-align: left; white-space: normal; }
th { color: var(--soft); font-weight: 600; }
.chart svg { width: 100%; height: auto; display: block; } .chart { margin: 4px 0 12px; min-width: 640px; }
figure { margin: 0; } figcaption { color: var(--soft); font-size: 13px; max-width: 90ch; }
code, pre { font: 13px/1.45 ui-monospace, SFMono-Regular, Menlo, monospace; }
pre { background: var(--card); padding: 12px 14px; border-radius: 4px; overflow-x: auto; margin: 8px 0; }
details { border: 1px solid var(--line); border-radius: 4px; padding: 8px 12px; margin: 8px 0; } summary { cursor: pointer; }
.ok { color: var(--good); } .no { color: var(--bad); font-weight: 600; }
.key { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 13px; color: var(--soft); margin: 4px 0; }
.key i { display: inline-block; width: 12px; height: 12px; border-radius: 2px; margin-right: 6px; vertical-align: -1px; }
@media print { details { break-inside: avoid; } main { max-width: none; padding: 0; } }
`;
