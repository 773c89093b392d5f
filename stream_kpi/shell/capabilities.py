"""What the broker can do, found out at start."""

from __future__ import annotations

import contextlib

from aiokafka import AIOKafkaProducer
from aiokafka.errors import (
    IncompatibleBrokerVersion,
    KafkaConnectionError,
    KafkaError,
    UnknownError,
    UnsupportedVersionError,
)

from stream_kpi.errors import NO_BROKER, UserError


async def has_transactions(broker: str, app_id: str) -> bool:
    """True when the broker gives out transactional producer ids. Raises UserError when no broker answers."""
    producer = AIOKafkaProducer(bootstrap_servers=broker, transactional_id=f"{app_id}-probe", request_timeout_ms=10_000)
    try:
        await producer.start()
    except KafkaConnectionError as error:
        raise UserError(f"no broker answers at {broker}: {error}", NO_BROKER) from error
    except (UnknownError, UnsupportedVersionError, IncompatibleBrokerVersion):
        return False
    finally:
        with contextlib.suppress(KafkaError):
            await producer.stop()
    return True
