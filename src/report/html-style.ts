/** The page's style: light and dark, desktop and phone, screen and paper; uses nothing from outside. */
export const STYLE = `
:root{color-scheme:light dark;--page:#f6f8fa;--card:#fff;--ink:#1b1f24;--muted:#57606a;--rule:#d8dee4;
--good:#0a6b3d;--good-card:#e6f6ec;--bad:#b42318;--bad-card:#fdecea;--doubt:#8a5300;--doubt-card:#fff5e0;
--right:0 114 178;--wrong:213 94 0;--link:#0060b0}
@media (prefers-color-scheme:dark){:root{--page:#0d1117;--card:#161b22;--ink:#e6edf3;--muted:#9aa4af;--rule:#30363d;
--good:#5fd68f;--good-card:#10281a;--bad:#ff8f84;--bad-card:#33150f;--doubt:#f2b950;--doubt-card:#2f2409;
--right:86 180 233;--wrong:240 130 50;--link:#6cb6ff}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 Inter,system-ui,-apple-system,"Segoe UI",sans-serif;
overflow-wrap:anywhere}
main{max-width:890px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:25px;line-height:1.25;margin:0 0 4px;text-wrap:balance}
h2{font-size:19px;margin:40px 0 12px}
h3{font-size:15px;margin:24px 0 8px}
h2+h3{margin-top:0}
p{margin:0 0 12px}
a{color:var(--link)}
.about,.note,figcaption{color:var(--muted)}
.note{font-size:13px;margin:8px 0 0}
.verdict{border-left:6px solid var(--rule);background:var(--card);border-radius:8px;padding:18px 20px}
.verdict.passed{border-color:var(--good);background:var(--good-card)}
.verdict.failed{border-color:var(--bad);background:var(--bad-card)}
.verdict.untold{border-color:var(--doubt);background:var(--doubt-card)}
.verdict p{margin:0}
.warnings{list-style:none;margin:12px 0 0;padding:0}
.warnings li{background:var(--doubt-card);border-left:6px solid var(--doubt);border-radius:8px;padding:8px 16px;margin-top:8px}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(168px,1fr));gap:12px;margin:16px 0 0;padding:0}
.tiles div{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px 14px}
.tiles dt{color:var(--muted);font-size:13px}
.tiles dd{margin:0;font-variant-numeric:tabular-nums}
.tiles .value{font-size:22px;font-weight:600}
.tiles .range{color:var(--muted);font-size:13px}
.scroll{overflow-x:auto;background:var(--card);border:1px solid var(--rule);border-radius:8px;overflow-wrap:normal}
table{border-collapse:collapse;width:100%;font-size:14px;font-variant-numeric:tabular-nums}
th,td{padding:6px 12px;text-align:right;border-bottom:1px solid var(--rule);white-space:nowrap}
thead th{white-space:normal;vertical-align:bottom}
tbody tr:last-child>*{border-bottom:0}
thead th{color:var(--muted);font-weight:600}
th.text,td.text{text-align:left}
td.wrap{white-space:normal;min-width:16em;overflow-wrap:anywhere}
td.way{white-space:normal;min-width:9em}
th.name{font-weight:600;max-width:16em;overflow:hidden;text-overflow:ellipsis}
.compact small{margin-left:8px}
small{color:var(--muted);font-size:12px}
.mark{display:inline-block;border-radius:999px;padding:0 8px;font-size:12px;font-weight:600}
.mark.passed{color:var(--good);background:var(--good-card)}
.mark.failed,.mark.weakest{color:var(--bad);background:var(--bad-card)}
.mark.chosen{color:var(--good);background:var(--good-card)}
.mark.untold{color:var(--doubt);background:var(--doubt-card)}
.matrix td{padding:5px 8px;border:1px solid var(--card)}
.matrix thead th{white-space:nowrap}
.matrix thead th:not(.text){max-width:9em;overflow:hidden;text-overflow:ellipsis}
tbody th{position:sticky;left:0;background:var(--card);z-index:1}
table.compact{width:auto}
.scroll:has(.compact){width:fit-content;max-width:100%}
.matrix .right{background:rgb(var(--right)/.18);font-weight:600}
.matrix .wrong{background:rgb(var(--wrong)/var(--share))}
.matrix .none{color:var(--muted)}
.charts{display:grid;gap:16px}
figure{margin:0;position:relative}
figcaption{margin:0 0 8px;font-size:13px}
figcaption strong{color:var(--ink);display:block;font-size:15px}
.picture{background:#fff;border:1px solid var(--rule);border-radius:12px;overflow:hidden;padding:4px}
.picture svg{display:block;max-width:100%;height:auto;margin:0 auto}
dl.facts,dl.terms{display:grid;grid-template-columns:minmax(8em,max-content) 1fr;gap:4px 20px;margin:0}
dl.facts dt,dl.terms dt{color:var(--muted)}
dl.facts dd,dl.terms dd{margin:0}
details{background:var(--card);border:1px solid var(--rule);border-radius:8px;padding:12px 16px;margin-top:12px}
summary{cursor:pointer;font-weight:600}
details>:nth-child(2){margin-top:12px}
code{font:13px/1.4 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
footer{color:var(--muted);font-size:13px;margin-top:48px}
@media (min-width:701px){figcaption{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}}
@media (max-width:700px){main{padding:20px 14px 48px}h1{font-size:21px}.tiles{grid-template-columns:repeat(auto-fill,minmax(140px,1fr))}
dl.facts,dl.terms{grid-template-columns:1fr;gap:0}dl.facts dd,dl.terms dd{margin-bottom:8px}th,td{padding:6px 8px}}
@media print{:root{color-scheme:light;--page:#fff;--card:#fff;--ink:#000;--muted:#444;--rule:#bbb;--good:#0a6b3d;--good-card:#fff;
--bad:#b42318;--bad-card:#fff;--doubt:#8a5300;--doubt-card:#fff;--right:0 114 178;--wrong:213 94 0}
main{max-width:none;padding:0}.scroll{overflow:visible;border:0}figure,tr,.tiles div,.verdict{break-inside:avoid}
h2,h3,thead,summary{break-after:avoid}table{font-size:11px}th,td{padding:3px 5px}tbody th{position:static}
.many{font-size:5px}.many th,.many td{padding:1px}.many thead th:not(.text){max-width:none;overflow:visible}
.picture svg{width:auto;max-height:112mm}details::details-content{content-visibility:visible;display:block}
*{print-color-adjust:exact}}
`;
