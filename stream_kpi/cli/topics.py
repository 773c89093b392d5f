"""``stream-kpi topics``: makes the topics, and says what they are."""

from __future__ import annotations

from typing import Annotated

import typer

from stream_kpi.cli.common import (
    BrokerOption,
    ConfigOption,
    JsonOption,
    data_console,
    notes_console,
    print_json,
    settings_of,
)

app = typer.Typer(help="Make the topics, or say what they are.", no_args_is_help=True)


@app.command()
def create(
    partitions: Annotated[
        int | None,
        typer.Option(min=1, max=10_000, help="Of each source topic; default: as the existing sources, else 4."),
    ] = None,
    config: ConfigOption = None,
    broker: BrokerOption = None,
) -> None:
    """Create the topics that are missing: sources, dead letters, late records, internal ones, values, their
    history, service levels."""
    from stream_kpi.brokers.topic_admin import create_topics

    settings = settings_of(config, broker)
    created = create_topics(settings, partitions)
    for name in created:
        typer.echo(name)
    notes_console().print(f"{len(created)} topics created." if created else "All topics exist already.")


@app.command()
def describe(config: ConfigOption = None, broker: BrokerOption = None, json: JsonOption = False) -> None:
    """Say what each topic is for, and whether it is there as it has to be; exit status 4 when one is not."""
    from stream_kpi.brokers.probe import probe
    from stream_kpi.brokers.security import security_of
    from stream_kpi.brokers.topic_admin import remedy
    from stream_kpi.errors import WRONG_TOPICS, UserError
    from stream_kpi.topics import all_topics, topic_problems

    settings = settings_of(config, broker)
    existing = probe(settings.broker.address, security=security_of(settings.broker)).topics
    problems = topic_problems(settings, existing)
    problem_of = dict(problems)
    rows = [
        {
            "topic": topic.name,
            "partitions": existing.get(topic.name),
            "cleanup": "compact" if topic.compacted else "delete",
            "key": topic.key,
            "value": topic.value,
            "producer": topic.producer,
            "consumer": topic.consumer,
            "problem": problem_of.get(topic.name),
        }
        for topic in all_topics(settings)
    ]
    if json:
        print_json(rows)
    else:
        from rich.table import Table

        table = Table(*rows[0], box=None, pad_edge=False)
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row.values()))
        data_console().print(table)
    if problems:
        raise UserError(remedy(problems, settings, existing), WRONG_TOPICS)
