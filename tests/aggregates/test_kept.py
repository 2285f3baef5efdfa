"""How an aggregate is stored: whole, and what has changed since."""

from collections.abc import Mapping
from typing import Any

import pytest

from schemas.codec import dumps, loads
from schemas.times import DAY
from streams.aggregates import kept
from streams.aggregates.kept import changes_key, decode_kept, encode_plain, headers, said_last, to_be_whole
from streams.header import NewerState
from streams.soundness import is_sound
from tests.aggregates.partition import KEY, T0, Partition, message

WHOLE, CHANGES = KEY.encode(), changes_key(KEY)


def in_a_storm(cases: int = 300) -> Partition:
    """So many escalations, which came one by one."""
    partition = Partition()
    for number in range(cases):
        partition.take(message(number))
    return partition


def test_a_batch_of_a_storm_writes_what_it_changes():
    """Ten times less than all of it each time, and a restart finds all of it."""
    partition = in_a_storm(1_000)
    size = len(partition.values[WHOLE])
    before = partition.written
    for number in range(1_000, 1_100):
        writes = partition.take(message(number), message(number - 1_000, 2, gone=True)).writes
        assert len(writes) == 1
    assert partition.written - before < 100 * size / 8
    partition.restart()
    assert partition.ids() == [f"esc_{number:024}" for number in range(100, 1_100)]


def test_what_is_small_is_one_record():
    """Most topics never have a storm."""
    assert in_a_storm(10).values.keys() == {WHOLE}


def test_changes_of_an_older_whole_are_not_read():
    """A batch that stores all of it anew leaves the changes where they are: it writes one record."""
    partition = in_a_storm()
    while loads(partition.values[CHANGES])["q"] == loads(partition.values[WHOLE])["q"]:
        partition.take(message(len(partition.ids())))
    known = partition.ids()
    partition.restart()
    assert partition.ids() == known
    assert said_last(KEY, partition.values) == said_last(KEY, {WHOLE: partition.values[WHOLE]})
    partition.take(message(len(known)))
    assert loads(partition.values[CHANGES])["q"] == loads(partition.values[WHOLE])["q"]
    partition.restart()
    assert len(partition.ids()) == len(known) + 1


def test_changes_that_are_of_no_use_are_deleted(monkeypatch):
    """When it is small again, the whole is enough: the changes go with the whole after the next."""
    partition = in_a_storm(100)
    while partition.take(message(len(partition.ids()))).writes[0][1] != CHANGES:
        pass
    monkeypatch.setattr(kept, "SMALL", 1_000_000)
    for keys in ([WHOLE], [CHANGES, WHOLE], [WHOLE]):
        known = partition.ids()
        assert [key for _, key, _ in partition.take(message(len(known))).writes] == keys
        partition.restart()
        assert len(partition.ids()) == len(known) + 1
    assert partition.values.keys() == {WHOLE}


def test_it_is_deleted_whole_first():
    """The changes without the whole are nothing; the whole without the changes would be what was long ago."""
    partition = in_a_storm(100)
    partition.take(*(message(number, 2, gone=True) for number in range(100)))
    assert partition.values.keys() == {WHOLE, CHANGES}
    later = T0 + 40 * DAY
    assert partition.take(now=later).writes == [(kept.TABLE, WHOLE, None)]
    partition.restart()
    assert partition.take(now=later + 1).writes == [(kept.TABLE, CHANGES, None)]
    assert partition.values == {}
    assert partition.shelf.timers.next is None


def test_it_begins_anew_beside_changes_that_were_left():
    """They belong to no whole that comes after them."""
    partition = in_a_storm(100)
    del partition.values[WHOLE]
    partition.restart()
    partition.take(message(7))
    assert partition.ids() == ["esc_000000000000000000000007"]
    partition.restart()
    assert partition.ids() == ["esc_000000000000000000000007"]


def test_what_has_left_it_is_in_no_record_for_long():
    """The next whole comes within two days, or at once where `mindgap forget` asks for it."""
    for asked in (True, False):
        partition = in_a_storm(100)
        partition.take(message(7, 2, gone=True))
        assert b'"c7"' in partition.values[WHOLE]
        if asked:
            post = to_be_whole(CHANGES.decode())
            assert post == to_be_whole(KEY)
            partition.take(post.message)
            partition.take(post.message)  # the changes of the whole before
        else:
            for day in (1, 2):
                partition.take(now=T0 + day * DAY)
        assert not any(b'"c7"' in value for value in partition.values.values()), asked
        partition.restart()
        assert len(partition.ids()) == 99


def test_quiet_costs_nothing():
    """Once it is stored whole, it is looked at each day, and nothing is written."""
    partition = in_a_storm(100)
    while partition.take(message(len(partition.ids()))).writes[0][1] != CHANGES:
        pass
    written = [partition.take(now=T0 + day * DAY).writes for day in range(1, 10)]
    assert [len(writes) for writes in written].count(1) == 1
    assert written[-7:] == [[]] * 7


def test_an_older_whole_that_a_repair_has_put_back_takes_no_newer_changes():
    """They are another whole's, also when the next one has been written."""
    partition, older = Partition(), b""
    while CHANGES not in partition.values:
        older = partition.values.get(WHOLE, b"")
        partition.take(message(len(partition.ids())))
    partition.take(message(900))
    partition.values[WHOLE] = older
    partition.restart()
    known = partition.ids()
    partition.take(message(0, 2, gone=True))
    partition.restart()
    assert partition.ids() == known[1:]
    assert dict(headers(partition.values))[KEY].batch == partition.batch


@pytest.mark.parametrize("key", [WHOLE, CHANGES])
def test_a_damaged_state_in_a_sound_record_is_damage(key):
    """Else every timer of the partition would fail with it."""
    value = in_a_storm(100).values[key]
    assert is_sound("aggregates", key, value)
    stored = loads(value)
    for name in {"s", "c"} & stored.keys():
        for broken in ({}, stored[name] | {"cases": {}}, stored[name] | {"addresses": 7}):
            assert not is_sound("aggregates", key, dumps(stored | {name: broken}))


class _Damaged(dict[bytes, bytes]):
    def __init__(self, values: Mapping[bytes, bytes], damaged: bytes) -> None:
        super().__init__({key: value for key, value in values.items() if key != damaged})
        self.damaged = damaged

    def get(self, key: bytes, default: Any = None) -> Any:
        if key == self.damaged:
            raise ValueError("damaged")
        return super().get(key, default)


@pytest.mark.parametrize("damaged", [WHOLE, CHANGES])
def test_where_one_of_the_two_is_damaged_nothing_is_due(damaged):
    """Neither is what it was without the other; who asks for it is told."""
    values = _Damaged(in_a_storm(100).values | {b"backlog": encode_plain(None, 1)}, damaged)
    assert [key for key, _ in headers(values)] == ["backlog"]
    with pytest.raises(ValueError, match="damaged"):
        decode_kept(KEY, values)


def test_the_version_before_is_read():
    """Recorded state of version 1, which was always whole."""
    value = (
        b'{"v":1,"w":null,"b":3,"o":0,"p":"ab","s":{"v":3,"name":"billing","policy_version":"1","next_wake":null,'
        b'"cases":{"rows":[[1,0,"esc_1","c1","error",36000000,"iss_1",["chat"],false,1,null,[["chat",1]]]],'
        b'"seen":{"last":[],"at":0,"beyond":0,"beyond_ever":0}},"standing":null,"previous":null,"ended_at":0,'
        b'"muted":false,"evidence":[],"most":0,"shown":null,"addresses":{"v":1,"by":null,"known":[]},"commands":[]},'
        b'"x":[],"y":[]}'
    )
    partition = Partition()
    partition.values[WHOLE] = value
    partition.restart()
    assert partition.ids() == ["esc_1"]
    partition.take(message(2))
    assert partition.ids() == ["esc_1", f"esc_{2:024}"]
    assert loads(partition.values[WHOLE])["v"] == kept.KEPT_VERSION


def test_a_newer_version_is_refused():
    """In either record."""
    values = in_a_storm(100).values
    for key in (WHOLE, CHANGES):
        newer = values | {key: dumps(loads(values[key]) | {"v": 99})}
        with pytest.raises(NewerState):
            decode_kept(KEY, newer)
        with pytest.raises(NewerState):
            list(headers(newer))
