"""The style sheet of report.html: light and dark, from a phone's width up."""

# Line colours after Okabe and Ito, "Color Universal Design", 2008, lightened for the dark page.
STYLE = """
:root{color-scheme:light dark;--ink:#1a2230;--muted:#5b6675;--page:#f6f7f9;--card:#fff;--edge:#dfe3e8;
--accent:37,99,235;--c0:#0072b2;--c1:#d55e00;--c2:#009e73;--c3:#b0508a;--c4:#8a6d00;--c5:#3a9bd9;--c6:#6b4fbb;
--c7:#7a5230}
@media (prefers-color-scheme:dark){:root{--ink:#e8ecf2;--muted:#9aa5b4;--page:#10141a;--card:#181e27;
--edge:#2c3541;--accent:96,150,255;--c0:#56b4e9;--c1:#ff8c42;--c2:#2fd0a0;--c3:#e48cc0;--c4:#e6c229;--c5:#8fd3ff;--c6:#b39dff;
--c7:#d2a679}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Noto Sans",sans-serif;-webkit-text-size-adjust:100%}
main{max-width:60rem;margin:0 auto;padding:1.25rem 1rem 3rem}
header{margin-bottom:1.25rem}
header p{margin:.2rem 0;color:var(--muted)}
h1{margin:0;font-size:clamp(1.5rem,5vw,2.1rem);line-height:1.2;overflow-wrap:anywhere}
h2{margin:0 0 .35rem;font-size:1.2rem}
h3{margin:1rem 0 .2rem;font-size:1rem}
.kicker{font-size:.8rem;letter-spacing:.06em;text-transform:uppercase}
section{background:var(--card);border:1px solid var(--edge);border-radius:.75rem;padding:1rem;margin:0 0 1rem}
.lead{margin:0 0 .75rem;color:var(--muted);max-width:46rem}
.level{display:inline-block;padding:0 .5em;border-radius:1em;font-size:.8em;color:var(--ink);
background:rgba(var(--accent),.18)}
.tiles{display:grid;gap:.6rem;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr))}
.tile{border:1px solid var(--edge);border-radius:.6rem;padding:.6rem .75rem;display:flex;
flex-direction:column}
.tile b{font-size:1.5rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile small{color:var(--muted);line-height:1.35}
.scroll{overflow-x:auto;-webkit-overflow-scrolling:touch}
table{border-collapse:collapse;width:100%;font-size:.92rem;font-variant-numeric:tabular-nums}
th,td{padding:.35rem .5rem;text-align:right;border-bottom:1px solid var(--edge);white-space:nowrap}
th{font-weight:600}
thead th{white-space:normal;color:var(--muted);font-weight:500;font-size:.85rem;vertical-align:bottom}
th:first-child,.plain td{text-align:left}
.plain td{white-space:normal;overflow-wrap:anywhere}
tbody tr:last-child>*{border-bottom:0}
.confusion{width:auto}
.confusion .cell{display:block;min-width:3.2rem;padding:.4rem;border-radius:.35rem;text-align:center;
background:rgba(var(--accent),calc(var(--share)*.6))}
.confusion td{padding:.12rem}
.confusion td:nth-last-child(-n+3){padding:.35rem .5rem}
figure{margin:0 0 .5rem}
figure svg{display:block;width:100%;height:auto;max-width:40rem;margin:0 auto}
figure.one svg{max-width:24rem}
figcaption{text-align:center;color:var(--muted);font-size:.85rem}
.pair{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fit,minmax(min(100%,19rem),1fr))}
svg text{font-family:inherit;fill:var(--muted)}
svg .tick{font-size:12px}
svg .axis{font-size:13px;fill:var(--ink)}
svg .grid{stroke:var(--edge);stroke-width:1}
svg .line{fill:none;stroke:currentColor;stroke-width:2.2;stroke-linejoin:round}
svg .thin{stroke-width:1.3;opacity:.85}
svg .band{fill:currentColor;opacity:.16}
svg .dot{fill:currentColor;fill-opacity:.85}
svg .whisker{stroke:currentColor;stroke-width:1.6;opacity:.6}
svg .guide{color:var(--muted);stroke-dasharray:5 5;stroke-width:1.2}
.all{color:var(--ink)}
svg .line.all{stroke-width:3}
.c0{color:var(--c0)}.c1{color:var(--c1)}.c2{color:var(--c2)}.c3{color:var(--c3)}
.c4{color:var(--c4)}.c5{color:var(--c5)}.c6{color:var(--c6)}.c7{color:var(--c7)}
.legend{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1rem;justify-content:center;padding:0;
margin:.25rem 0 .75rem;font-size:.9rem}
.key{display:inline-block;width:1.1em;height:.28em;border-radius:.2em;margin-right:.4em;vertical-align:middle;
background:currentColor}
.range{position:relative;display:block;height:.9rem;min-width:5.5rem;border-radius:.3rem;background:rgba(var(--accent),.1)}
.range i{position:absolute;top:.3rem;height:.3rem;border-radius:.2rem;background:rgba(var(--accent),.5)}
.range b{position:absolute;top:.1rem;width:.35rem;height:.7rem;margin-left:-.17rem;border-radius:.15rem;
background:rgb(var(--accent))}
.cards{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(min(100%,13.5rem),1fr))}
article{border:1px solid var(--edge);border-radius:.6rem;padding:.6rem;min-width:0}
article p{margin:.4rem 0 0;font-size:.92rem;overflow-wrap:anywhere}
article img{display:block;width:100%;height:6rem;border-radius:.35rem;image-rendering:pixelated}
article audio{display:block;width:100%;margin-top:.5rem;height:2.4rem}
.muted{color:var(--muted);font-size:.82rem}
code{font-size:.9em}
@media (max-width:30rem){section{padding:.8rem}th,td{padding:.3rem}.range{min-width:4.5rem}
.confusion .cell{min-width:2.4rem}.confusion td:nth-last-child(-n+3){padding:.3rem}table{font-size:.86rem}}
@media print{body{background:#fff}section{break-inside:avoid}}
"""
