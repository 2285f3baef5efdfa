"""What a failed soak leaves for whoever looks into it: what is not worked off, and the state as the changelogs have it."""

from pathlib import Path

from aiokafka import TopicPartition

from agents.read_all import read_all
from agents.settings import Settings
from schemas.codec import dumps, loads
from topics.table import CHANGELOGS, CO_PARTITIONED, physical


async def keep_remains(settings: Settings, left: dict[TopicPartition, tuple[int, int]], folder: Path) -> None:
    """Write into `folder` a file for each table, key and value by line, and what `left` (from, to) names."""
    for table, topic in CHANGELOGS.items():
        values = {record.key: (record.partition, record.value) async for record in read_all(settings, topic)}
        with (folder / f"remains-{table}.jsonl").open("wb") as file:
            for key, (partition, value) in values.items():
                if value is not None:
                    line = {"partition": partition, "key": (key or b"").decode(), "value": loads(value)}
                    file.write(dumps(line) + b"\n")
    with (folder / "remains-left.jsonl").open("wb") as file:
        for topic in CO_PARTITIONED:
            name = physical(settings.topic_prefix, topic)
            async for record in read_all(settings, topic):
                begin, end = left.get(TopicPartition(name, record.partition), (0, 0))
                if begin <= record.offset < end:
                    where = {"topic": name, "partition": record.partition, "offset": record.offset}
                    file.write(dumps({**where, "value": (record.value or b"").decode()}) + b"\n")
