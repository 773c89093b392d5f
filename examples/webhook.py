"""Posts every missed service level to a URL, at least once: ``webhook.py HOST:PORT URL [TOPIC]``."""

from __future__ import annotations

import asyncio
import json
import sys

from aiohttp import ClientResponseError, ClientSession, ClientTimeout
from aiokafka import AIOKafkaConsumer


async def post_breaches(broker: str, url: str, topic: str, group: str) -> None:
    """Post them until cancelled. A position is committed when the receiver has answered with 2xx: a kill, or a receiver
    that is down, repeats the last one (its id is the same) and leaves none out.

    Raises aiohttp's errors when the receiver refuses: started again, it goes on with the same event.
    """
    consumer = AIOKafkaConsumer(
        topic,
        bootstrap_servers=broker,
        group_id=group,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    await consumer.start()
    try:
        async with ClientSession(timeout=ClientTimeout(total=10), raise_for_status=True) as session:
            async for record in consumer:
                event = json.loads(record.value)
                if event["type"] == "sla.breached":
                    async with session.post(url, json=event, headers={"Idempotency-Key": event["id"]}):
                        await consumer.commit()
    finally:
        await consumer.stop()


def main(broker: str, url: str, topic: str = "support.sla.events.v1") -> None:
    """Run until Ctrl-C; the exit status is 1 when the receiver refuses."""
    try:
        asyncio.run(post_breaches(broker, url, topic, "breach-webhook"))
    except ClientResponseError as error:
        sys.exit(f"{url}: {error.status} {error.message}")
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main(*sys.argv[1:])
