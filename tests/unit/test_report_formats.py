"""The report as a page, as Markdown and as CSV: what is printed, and that text from events can do no harm."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stream_kpi.reports.charts import bars, sparkline
from stream_kpi.reports.content import Report, Volumes
from stream_kpi.reports.csv_table import COLUMNS, csv_table
from stream_kpi.reports.markdown import escaped, markdown
from stream_kpi.reports.page import html_page
from stream_kpi.reports.period import PeriodKind
from stream_kpi.reports.phrases import difference
from stream_kpi.reports.wording import amount, duration, printable, target
from tests.catalogue_kit import kpi_by_id
from tests.report_kit import at, line_of, reported
from tests.shard_kit import created

GOLDEN = Path(__file__).parent / "golden"
SHOWN = ("ticket_volume", "first_response_time", "resolution_time_full", "csat", "service_level")
"""The KPIs of the golden files: they are not to change whenever the catalogue gets a row."""
EVIL = "<img src=x onerror=alert(1)>|`code` [a](http://evil) **b**\n\N{RIGHT-TO-LEFT OVERRIDE}=1+1"


class Page(HTMLParser):
    """Tags and texts of a page; every tag that is opened has to be closed in order."""

    VOID = frozenset({"meta", "br", "line", "rect", "circle", "polyline"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self._open: list[str] = []
        self.feed(text)
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture(scope="module")
def tuesday() -> Report:
    return reported(PeriodKind.DAY, "03-04 00:00")


def shortened(report: Report) -> Report:
    """The report with a few KPIs, by channel only."""
    sections = (
        section._replace(lines=tuple(line for line in section.lines if line.row.id in SHOWN))
        for section in report.sections
    )
    tables = []
    for table in report.tables:
        kept = [place for place, row in enumerate(table.columns) if row.id in SHOWN]
        members = (m._replace(records=tuple(m.records[place] for place in kept)) for m in table.members)
        tables.append(table._replace(columns=tuple(table.columns[place] for place in kept), members=tuple(members)))
    return report._replace(sections=tuple(s for s in sections if s.lines), tables=tuple(tables))


@pytest.mark.parametrize(("name", "write"), [("report.md", markdown), ("report.csv", csv_table)])
def test_a_small_story_is_written_as_it_always_was(tuesday: Report, name: str, write: object) -> None:
    assert callable(write)
    with (GOLDEN / name).open(encoding="utf-8", newline="") as golden:
        assert write(shortened(tuesday)) == golden.read()


def test_the_page_needs_nothing_beside_it_and_runs_nothing(tuesday: Report) -> None:
    text = html_page(tuesday)
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object"} & set(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on") or name in {"src", "href"}]
    assert "url(" not in text
    assert "@import" not in text
    assert "@page" in text


def test_the_page_can_be_read_without_seeing_it(tuesday: Report) -> None:
    page = html_page(tuesday)
    heads = re.findall(r"<th[ >][^>]*", page)
    assert heads
    assert all('scope="col"' in head or 'scope="row"' in head for head in heads)
    drawings = re.findall(r"<svg .*?</svg>", page, re.DOTALL)
    assert drawings
    assert all('role="img"' in drawing and "<title>" in drawing for drawing in drawings)
    assert '<html lang="en">' in page


def test_the_page_says_what_the_figures_are(tuesday: Report) -> None:
    texts = " ".join(Page(html_page(tuesday)).texts)
    for said in ("Service report: Tuesday 3 March 2026", "at most 4 h", "no samples", "better", "By agent", "billing"):
        assert said in texts


def test_targets_that_are_missed_stand_with_what_to_do() -> None:
    monday = reported(PeriodKind.DAY, "03-03 00:00")
    advice = kpi_by_id("first_response_time").advice
    assert advice in " ".join(Page(html_page(monday)).texts)
    assert advice in markdown(monday)


@pytest.mark.parametrize("dimension", ["category", "channel"])
def test_text_from_events_is_nothing_but_text(dimension: str) -> None:
    lines = [created("T", at("03-03 10:00"), **{dimension: EVIL})]
    report = reported(PeriodKind.DAY, "03-04 00:00", lines)
    page, text = html_page(report), markdown(report)
    assert "img" not in Page(page).tags
    shown = next(part for part in Page(page).texts if "onerror" in part)
    assert shown == EVIL.replace("\n", "\ufffd").replace("\N{RIGHT-TO-LEFT OVERRIDE}", "\ufffd")
    assert "<" not in text
    row = next(line for line in text.splitlines() if "onerror" in line)
    assert len(re.findall(r"(?<!\\)\|", row)) == len(
        re.findall(r"\|", text.splitlines()[text.splitlines().index(row) - 1])
    )
    for cells in csv.reader(io.StringIO(csv_table(report), newline="")):
        assert len(cells) == len(COLUMNS)
        assert not [cell for cell in cells if cell[:1] in {"=", "+", "@"}]
    assert f"{dimension}={EVIL}" in {row["cut"] for row in csv.DictReader(io.StringIO(csv_table(report), newline=""))}


def test_markdown_and_html_in_a_text_do_not_take_effect() -> None:
    assert escaped("a_b*c|d<e>&`f`[g](h)") == r"a\_b\*c\|d&lt;e&gt;&amp;\`f\`\[g\]\(h\)"
    assert escaped("www.example.com/#1") == r"www\.example\.com/\#1"


def test_what_would_break_a_line_or_reorder_it_is_replaced() -> None:
    assert printable("a\x00b\nc\N{RIGHT-TO-LEFT OVERRIDE}d é 日本") == "a\ufffdb\ufffdc\ufffdd é 日本"


def test_csv_has_a_row_a_value_with_the_bounds_of_its_window(tuesday: Report) -> None:
    rows = list(csv.DictReader(io.StringIO(csv_table(tuesday), newline="")))
    response = [row for row in rows if row["kpi"] == "first_response_time"]
    assert [(row["cut"], row["value"], row["samples"]) for row in response] == [
        ("", "3600.0", "2"),
        ("channel=email", "1800.0", "1"),
        ("channel=web", "5400.0", "1"),
        ("category=<script>alert(1)</script>", "5400.0", "1"),
        ("category=billing", "1800.0", "1"),
        ("agent=ann", "1800.0", "1"),
        ("agent=bob", "5400.0", "1"),
    ]
    first = response[0]
    assert (first["target"], first["verdict"], first["before"], first["change"], first["judgement"]) == (
        "14400", "reached", "21600.0", "-18000.0", "better",
    )  # fmt: skip
    assert (first["window"], first["window_start"], first["window_end"]) == (
        "today", "2026-03-03T00:00:00.000Z", "2026-03-04T00:00:00.000Z",
    )  # fmt: skip
    assert [row["value"] for row in rows if row["kpi"] == "service_level" and not row["cut"]] == [""]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"), (0.85, "850 ms"), (0.0004, "0 ms"), (9.94, "9.9 s"), (42.4, "42 s"), (59.6, "1 min"),
        (724, "12 min 04 s"), (3_600, "1 h"), (7_500, "2 h 05 min"), (86_399, "1 d"), (270_000, "3 d 3 h"),
        (1_000 * 86_400, "1,000 d"), (-90, "-1 min 30 s"),
    ],
)  # fmt: skip
def test_a_duration_has_the_two_units_that_say_most(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("kpi", "value", "currency", "text"),
    [
        ("csat", 0.934, None, "93.4 %"), ("csat", 1, None, "100 %"), ("ticket_volume", 17_877, None, "17,877"),
        ("backlog_days_to_clear", 2.345, None, "2.35 days"), ("mrr", 1_200.5, "EUR", "1,200.50 EUR"),
        ("mrr", 151_910.02, "EUR", "151,910 EUR"), ("mrr", 1_200, "JPY", "1,200 JPY"), ("touches", 1.5, None, "1.5"),
        ("csat_score", 4.3, None, "4.3"), ("first_response_time", 14_400, None, "4 h"),
    ],
)  # fmt: skip
def test_a_value_is_written_in_its_unit(kpi: str, value: float, currency: str | None, text: str) -> None:
    assert amount(value, kpi_by_id(kpi), currency) == text


def test_a_target_says_which_way_it_is_met() -> None:
    targets = [target(kpi_by_id(kpi)) for kpi in ("first_response_time", "csat", "ticket_volume")]
    assert targets == ["at most 4 h", "at least 85 %", ""]


def test_ratios_change_by_points_scores_by_theirs_and_the_rest_by_percent(tuesday: Report) -> None:
    shown = {}
    for kpi in ("csat", "csat_score", "first_response_time", "ticket_backlog", "ticket_volume"):
        line = line_of(tuesday, kpi)
        assert line.change is not None
        shown[kpi] = difference(line.change, line.row, None)
    assert shown == {
        "csat": "+100.0 points",
        "csat_score": "+3",
        "first_response_time": "\N{MINUS SIGN}83.3 %",
        "ticket_backlog": "+1",
        "ticket_volume": "+100.0 %",
    }


def test_a_sparkline_breaks_where_there_is_no_value_and_needs_two() -> None:
    assert sparkline([None, 1.0, None], "x") == ""
    drawn = sparkline([1.0, 2.0, None, 3.0], "a<b")
    assert drawn.count("<polyline") == 1
    assert drawn.count("<circle") == 2, "the lone value, and the last one's mark"
    assert "<title>a&lt;b</title>" in drawn


def test_bars_stand_on_each_other_under_their_sum() -> None:
    drawn = bars(Volumes("By day", ("Mon", "Tue"), (("tickets", (30, 0)), ("chats", (12, 0)))))
    assert drawn.count("<rect") == 2, "nothing where nothing was"
    assert "<title>Mon, chats: 12</title>" in drawn
    assert ">42</text>" in drawn
    heights = [float(height) for height in re.findall(r'height="([0-9.]+)"><title>', drawn)]
    assert heights[0] / heights[1] == pytest.approx(30 / 12, rel=0.01)


@pytest.mark.parametrize("greatest", [0, 1, 4, 5, 9, 10, 99, 100, 101, 399, 400, 401, 999, 1_000, 123_456])
def test_a_chart_has_room_for_its_greatest_bar(greatest: int) -> None:
    drawn = bars(Volumes("By day", ("Mon",), (("tickets", (greatest,)),)))
    ticks = [int(tick.replace(",", "")) for tick in re.findall(r'text-anchor="end">([0-9,]+)<', drawn)]
    assert len(ticks) == 5
    assert greatest <= ticks[-1] <= max(4, 2.5 * greatest)
