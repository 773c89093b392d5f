"""The style of the HTML report: one column that is read at 1280 px and prints on A4 (pure)."""

from __future__ import annotations

from typing import Final

STYLE: Final = """\
:root{--ink:#1c2733;--soft:#5b6875;--line:#d8dee5;--pale:#f4f6f8;--good:#12693f;--bad:#a8231d;--first:#2f6496;
--second:#e0a13a}
*{box-sizing:border-box}
body{margin:0;background:#fff;color:var(--ink);font:15px/1.45 system-ui,"Segoe UI",Roboto,"Helvetica Neue",Arial,
sans-serif}
main{max-width:1180px;margin:0 auto;padding:28px 32px 48px}
h1{font-size:27px;line-height:1.2;margin:0 0 4px}
h2{font-size:19px;margin:34px 0 8px}
p{margin:4px 0}
.soft,.notes{color:var(--soft)}
.notes{margin:12px 0 0;padding-left:18px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(175px,1fr));gap:12px;margin:20px 0 0}
.tile{border:1px solid var(--line);border-radius:8px;padding:10px 14px;break-inside:avoid}
.tile h3{font-size:13px;font-weight:600;color:var(--soft);margin:0}
.tile .figure{font-size:25px;font-weight:650;line-height:1.3;white-space:nowrap}
.tile p{font-size:13px;margin:0}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(440px,1fr));gap:24px}
figure{margin:0;max-width:820px;break-inside:avoid}
figcaption{font-weight:600;margin-bottom:4px}
.key{font-weight:400;font-size:13px;margin-left:12px;white-space:nowrap}
.key i{display:inline-block;width:11px;height:11px;margin-right:5px;border-radius:2px}
table{border-collapse:collapse;width:100%;table-layout:fixed;font-variant-numeric:tabular-nums}
caption{text-align:left;color:var(--soft);font-size:13px;padding-bottom:4px}
th,td{padding:5px 8px;border-bottom:1px solid var(--line);text-align:right;vertical-align:top}
th{font-weight:600}
thead th{font-size:13px;color:var(--soft);border-bottom:2px solid var(--line);vertical-align:bottom}
th:first-child{text-align:left;padding-left:0;overflow-wrap:anywhere}
tbody th{font-weight:500}
.kpis th:nth-child(1){width:22%}
.kpis th:nth-child(2),.kpis th:nth-child(4){width:12.5%}
.kpis th:nth-child(3){width:13%}
.kpis th:nth-child(5){width:16%}
.kpis th:nth-child(6){width:9%}
.kpis th:nth-child(7){width:7%}
.kpis th:nth-child(8){width:8%}
.kpis td:last-child{white-space:nowrap}
.members th:nth-child(1){width:15%}
.nowrap{white-space:nowrap}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.good{color:var(--good)}.bad{color:var(--bad)}
.value{font-weight:650}
.tile .none{font-size:17px;line-height:1.9}
.none{color:var(--soft);font-weight:400;font-style:italic}
small{color:var(--soft);font-size:12px}
.missed{list-style:none;margin:0;padding:0}
.missed li{border-left:4px solid var(--bad);background:var(--pale);padding:8px 14px;margin:0 0 8px;break-inside:avoid}
.spark{display:block;margin-left:auto;max-width:100%}
.spark polyline{fill:none;stroke:var(--first);stroke-width:1.5}
.spark circle{fill:var(--first)}
.bars{width:100%;height:auto;display:block}
.bars text{font-size:10px;fill:var(--soft)}
.bars .sum{fill:var(--ink);font-size:9px}
.grid{stroke:var(--line);stroke-width:1}
.series0{fill:var(--first);background:var(--first)}
.series1{fill:var(--second);background:var(--second)}
@page{size:A4;margin:14mm 12mm 16mm}
@media print{
body{font-size:9pt;line-height:1.35;print-color-adjust:exact;-webkit-print-color-adjust:exact}
main{max-width:none;padding:0}
h1{font-size:18pt}
h2{font-size:13pt;margin:16pt 0 4pt;break-after:avoid}
thead{display:table-header-group}
tr{break-inside:avoid}
caption{break-after:avoid}
th,td{padding:2.5pt 3.5pt}
thead th,small,caption,.tile h3,.tile p,.key{font-size:8pt}
.tiles{grid-template-columns:repeat(3,1fr);gap:6pt}
.tile .figure{font-size:15pt}
.charts{grid-template-columns:1fr}
figure{max-width:none}
.kpis{font-size:8pt}
.members{font-size:7.5pt}
.whole{break-inside:avoid}
.members thead th,.members small{font-size:7pt}
}
"""
