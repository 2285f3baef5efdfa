"""An input is worked off as of the moment at which the broker was asked, not of that at which we look."""

import inspect
from random import Random

from aiokafka.consumer import fetcher
from faust.types import TP
from hypothesis import given
from hypothesis import strategies as st

from agents.worker.inputs import UNKNOWN, Inputs, Standing

CHAT, EMAIL, INBOX = TP("interactions.chat", 1), TP("interactions.email", 1), TP("customer-inbox", 1)


def clear(answer: int, done_to: int = 5) -> Standing:
    return Standing(done_to, clear=True, oldest=None, answer=answer)


def lows(*seen: tuple[int, Standing]) -> list[int | None]:
    """What is known after each look: the clock, and how the one input stands."""
    standings = iter([standing for _, standing in seen])
    inputs = Inputs((CHAT,), {}, lambda tp: next(standings))
    return [inputs.look(now).low for now, _ in seen]


def test_as_of_the_request():
    """The request of an answer was sent after the answer before it came: after the last look that did not show that."""
    assert lows((100, UNKNOWN), (200, clear(1)), (300, clear(1)), (400, clear(2)), (500, clear(3))) == [
        None,
        None,
        None,
        100,
        300,
    ]


def test_what_waits_holds_it():
    """A record that is not worked off holds the input at its append time."""
    waits = Standing(3, clear=False, oldest=250, answer=2)
    assert lows((100, UNKNOWN), (200, clear(1)), (300, waits), (400, waits)) == [None, None, 250, 250]


def test_what_is_known_is_not_forgotten():
    """What lies between the broker's answer and us was appended after what is known; that does not run backwards."""
    beyond = Standing(5, clear=False, oldest=None, answer=3)
    older = Standing(5, clear=False, oldest=50, answer=3)
    seen = [(100, UNKNOWN), (200, clear(1)), (300, clear(2)), (400, beyond), (500, older)]
    assert lows(*seen) == [None, None, 100, 100, 100]


def test_the_input_that_is_farthest_behind_counts():
    """The lowest input is the partition's, with a mark of its progress; one of which nothing is known hides all."""
    standings = {CHAT: Standing(7, clear=False, oldest=900, answer=1), EMAIL: UNKNOWN, INBOX: clear(1, 42)}
    inputs = Inputs((CHAT, EMAIL), {"customer-inbox": INBOX}, standings.__getitem__)
    assert inputs.look(1000).low is None
    standings[EMAIL] = Standing(3, clear=False, oldest=400, answer=1)
    facts = inputs.look(1100)
    assert (facts.low, facts.mark, facts.done) == (400, 3, {"customer-inbox": 42})
    assert set(inputs.tps) == {CHAT, EMAIL, INBOX}


@given(st.integers(0, 2**32))
def test_never_past_a_record_that_is_on_its_way(seed):
    """Whenever records are appended, fetched, taken over and worked off, the input's time passes none of them."""
    random = Random(seed)
    clock, answers, log, fetched, done = 0, 0, [], 0, 0
    requested = highwater = answer = None
    inputs = Inputs(
        (CHAT,),
        {},
        lambda tp: Standing(
            done,
            clear=highwater is not None and highwater <= done,
            oldest=log[done] if done < fetched else None,
            answer=answer,
        ),
    )
    for _ in range(120):
        clock += random.randint(0, 3)
        step = random.randrange(6)
        if step == 0:
            log.append(clock)
        elif step == 1 and requested is None:
            requested = clock
        elif step == 2 and requested is not None and random.random() < 0.5:  # the broker looks after it was asked
            requested, waiting = None, len(log)
            if random.random() < 0.5:  # and its answer is on its way for long
                clock += 10
                log += [clock - random.randint(0, 9)] if not log or log[-1] <= clock - 9 else []
            answers += 1
            highwater, answer = waiting, answers
        elif step == 3 and highwater is not None:
            fetched = max(fetched, highwater)
        elif step == 4:
            done = random.randint(done, fetched)
        else:
            low = inputs.look(clock).low
            assert low is None or done == len(log) or low <= log[done]


def test_the_fetcher_tells_the_end_before_the_answer():
    """`agents.worker.source` reads them in the other order, from another thread."""
    text = inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert text.index("tp_state.highwater = highwater") < text.index("tp_state.timestamp = now_ms")
