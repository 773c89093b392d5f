"""The bench's result: as JSON and as a table."""

from __future__ import annotations

from collections.abc import Mapping

from rich.table import Table

from stream_kpi.bench.figures import Figures

OURS = "stream_kpi"
COMPARED = ("limit", "faust_table", "quixstreams")
TITLES = {
    "limit": "fetch and decode, nothing else",
    "stream_kpi": "stream-kpi, one worker, all KPIs",
    "faust_table": "plain Faust agent, one table write",
    "quixstreams": "quixstreams, one state and one tumbling count",
    "core": "stream-kpi's pipeline without Kafka",
}


def ratios(results: Mapping[str, Figures]) -> dict[str, float]:
    """Our events per second by each other contender's, of those that ran."""
    ours = results.get(OURS)
    if ours is None:
        return {}
    return {
        f"to_{name}": round(ours.events_per_s / results[name].events_per_s, 3) for name in COMPARED if name in results
    }


def as_json(events: int, broker: str, results: Mapping[str, Figures]) -> dict[str, object]:
    """The figures as `bench --format json` prints them. A contender that read fewer events says how many."""
    report: dict[str, object] = {"events": events, "broker": broker}
    for name, figures in results.items():
        report[name] = {
            "events_per_s": round(figures.events_per_s, 1),
            "cpu_s": round(figures.cpu_s, 3),
            "peak_rss_mib": round(figures.peak_rss_mib, 1),
        } | ({} if figures.events >= events else {"events": figures.events})
    report["ratios"] = ratios(results)
    return report


def as_table(events: int, broker: str, results: Mapping[str, Figures]) -> Table:
    """The same for people, with the CPU time of one event."""
    table = Table(title=f"{events:,} events, {broker}", box=None, pad_edge=False)
    table.add_column("contender")
    for column in ("events", "events/s", "CPU us/event", "peak MiB", "stream-kpi is"):
        table.add_column(column, justify="right")
    of = ratios(results)
    for name, figures in results.items():
        ratio = of.get(f"to_{name}")
        table.add_row(
            TITLES[name],
            f"{figures.events:,}",
            f"{figures.events_per_s:,.0f}",
            f"{1e6 * figures.cpu_s / figures.events:.2f}",
            f"{figures.peak_rss_mib:,.0f}",
            "" if ratio is None else f"{ratio:.2f}x",
        )
    return table
