"""State that this version, with these definitions, would misread is refused, and says what to do."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from stream_kpi.errors import WRONG_USAGE, UserError
from stream_kpi.made_with import LAYOUT, MADE_WITH_KEY, check_first_record, made_with_record
from stream_kpi.position import POSITION_KEY
from stream_kpi.settings import load_settings
from stream_kpi.shard import Shard, ShardOptions
from tests.shard_kit import T0_MS, TICKETS, TOPICS, Topics, created, new_shard, records, restored_shard, status
from tests.state_of_examples import examples, state_of, written

ANEW = "start with another app_id (docs/operations.md, Backup and reset: everything is counted anew from the sources)"


def refusal(key: bytes, value: bytes | None, **definitions: str) -> str:
    with pytest.raises(UserError) as refused:
        check_first_record(key, value, definitions)
    assert refused.value.exit_status == WRONG_USAGE
    return str(refused.value)


def counted_with(folder: Path, text: str) -> dict[str, str]:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return load_settings(path).counted_with()


def test_the_first_record_of_a_shards_state_says_what_it_was_made_with_and_is_written_once() -> None:
    shard = new_shard()
    shard.apply(TICKETS, 0, records(created("T-1", T0_MS)), T0_MS)
    first = shard.flush(caught_up=True)
    shard.apply(TICKETS, 0, records(status("T-1", T0_MS + 1, "solved"), first=1), T0_MS)
    second = shard.flush(caught_up=True)
    assert first is not None
    assert second is not None
    assert first.state[0] == made_with_record({})
    assert MADE_WITH_KEY not in dict(second.state)


def test_a_restored_shard_does_not_say_again_what_it_was_made_with() -> None:
    topics = state_of([(TICKETS, created("T-1", T0_MS))])
    shard = restored_shard(topics)
    shard.apply(TICKETS, 0, records(status("T-1", T0_MS + 1, "solved"), first=1), T0_MS)
    flush = shard.flush(caught_up=True)
    assert flush is not None
    assert MADE_WITH_KEY not in dict(flush.state)


def test_state_that_does_not_say_its_layout_is_an_older_ones_and_refused_before_it_is_read() -> None:
    assert refusal(POSITION_KEY, b"unreadable") == (
        f"The state is that of an older stream-kpi, which this one cannot read: {ANEW}."
    )
    with pytest.raises(UserError, match="older stream-kpi"):
        new_shard().restore([(b"?:of another layout", b"x"), made_with_record({})], [])


@pytest.mark.parametrize(("layout", "age"), [(LAYOUT + 1, "a newer"), (LAYOUT - 1, "an older")])
def test_state_of_another_layout_is_refused_with_both_numbers(layout: int, age: str) -> None:
    value = msgspec.msgpack.encode({"layout": layout, "definitions": {}})
    assert refusal(MADE_WITH_KEY, value) == (
        f"The state is that of {age} stream-kpi (layout {layout}; this one reads {LAYOUT}): run that one, or {ANEW}."
    )


def test_a_first_record_that_cannot_be_read_is_refused() -> None:
    assert refusal(MADE_WITH_KEY, b"\xc1").endswith(f": {ANEW}.")


def test_other_definitions_than_the_states_are_refused_a_line_each_with_both_values() -> None:
    _, value = made_with_record({"zone": '"UTC+1"', "definitions.fcr_window_days": "3"})
    assert refusal(MADE_WITH_KEY, value, **{"zone": '"Asia/Kolkata"', "definitions.fcr_rule": '"one_agent"'}) == (
        'definitions.fcr_rule = "one_agent": the state was counted with its default\n'
        "definitions.fcr_window_days = its default: the state was counted with 3\n"
        'zone = "Asia/Kolkata": the state was counted with "UTC+1"\n'
        f"Put it back, or {ANEW}."
    )


def test_a_worker_with_other_terminal_statuses_does_not_take_a_ticket_out_of_the_backlog_that_was_never_in() -> None:
    before, topics = {"definitions.terminal_statuses": '["closed", "pending", "solved"]'}, Topics()
    shard = Shard(0, 1, ShardOptions(options=load_settings().options(), definitions=before, topics=TOPICS))
    shard.apply(TICKETS, 0, records(created("T-1", T0_MS), status("T-1", T0_MS + 1, "pending")), T0_MS)
    topics.write(shard.flush(caught_up=True))
    with pytest.raises(UserError, match=r"definitions\.terminal_statuses = its default"):
        restored_shard(topics)


def test_what_is_counted_depends_on_the_zone_the_partitioner_and_all_definitions_but_those_of_formulas(
    tmp_path: Path,
) -> None:
    assert load_settings().counted_with() == {}
    assert counted_with(
        tmp_path,
        'zone = "Europe/Berlin"\n[broker]\npartitioner = "crc32"\n[definitions]\nservice_level = "amazon"\n'
        'gross_margin = 0.5\nterminal_statuses = ["solved", "closed", "pending"]\n'
        "service_level_targets_s = {voice = 9}\n",
    ) == {
        "zone": '"Europe/Berlin"',
        "broker.partitioner": '"crc32"',
        "definitions.terminal_statuses": '["closed", "pending", "solved"]',
        "definitions.service_level_targets_s": '{"voice": 9.0}',
    }


def test_the_order_in_which_statuses_and_channels_are_given_is_no_change(tmp_path: Path) -> None:
    one = 'terminal_statuses = ["solved", "pending"]\nresponse_targets_s = {voice = 9, chat = 5}'
    other = 'terminal_statuses = ["pending", "solved"]\nresponse_targets_s = {chat = 5, voice = 9}'
    assert counted_with(tmp_path, f"[definitions]\n{one}") == counted_with(tmp_path, f"[definitions]\n{other}")


def test_the_state_that_this_layout_has_written_once_is_still_read_as_the_same() -> None:
    """Should it fail, records that stand in Kafka would be misread: raise LAYOUT, write the file of the new one."""
    again = [(topic, event.replace(b'"id": "', b'"id": "again-')) for topic, event in examples()]
    shard, topics = restored_shard(written()), written()
    for place, (topic, event) in enumerate([*examples(), *again]):
        shard.apply(topic, 0, records(event, first=place), T0_MS)
    topics.write(shard.flush(caught_up=True))
    fresh = state_of([*examples(), *again])
    assert topics.vectors() == fresh.vectors()
    assert topics.state == fresh.state
