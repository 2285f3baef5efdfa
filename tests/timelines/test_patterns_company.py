"""Patterns of what the company did, and of waiting, at their edges (contract, section 6)."""

import pytest

from tests.timelines.timeline import chat, community, email, phone, policy, social, tell, web

ASKED = email("10:00", "contact")
AUTO, CANNED = {"auto": True}, {"canned": True}


def only(name, **rule):
    return policy(patterns={name: rule})


@pytest.mark.parametrize(
    ("at", "said"), [("7d 10:10", ["7d 10:10 opened error deflection_loop"]), ("7d 10:10:00.001", [])]
)
def test_two_deflections_within_the_window(at, said):
    """Two deflections exactly a window apart are a loop; a ms more and they are not."""
    assert (
        tell(
            only("deflection_loop"), ASKED, email("10:10", "deflect", to="phone"), email(at, "deflect", to="chat")
        ).history()
        == said
    )


def test_one_deflection_is_no_loop():
    """Nor are transfers."""
    assert (
        tell(
            only("deflection_loop"), ASKED, email("10:10", "deflect", to="phone"), email("10:20", "transfer")
        ).history()
        == []
    )


@pytest.mark.parametrize(
    "seen",
    [chat("1d 10:10", "contact"), chat("1d 10:10", "answered"), chat("1d 10:10", "transfer")],
    ids=["contact", "answered", "transfer"],
)
def test_a_hand_off_from_public_to_private_is_no_deflection(seen):
    """A post taken to a chat where either side is seen within the window: not counted, from then on."""
    story = (
        social("10:00", "contact"),
        social("10:10", "deflect", to="chat"),
        seen,
        social("1d 11:00", "deflect", to="phone"),
    )
    told = tell(only("deflection_loop"), *story, until="1d 11:00")
    assert told.history() == []
    assert told.issues()[0]["deflections"] == 1


@pytest.mark.parametrize(
    "seen",
    [
        chat("1d 10:10:00.001", "contact"),
        chat("10:05", "contact"),
        chat("10:20", "contact", by="peer"),
        community("10:20", "contact"),
        web("10:20", "contact"),
    ],
    ids=["too-late", "before", "peer", "another-public", "elsewhere"],
)
def test_what_is_no_hand_off(seen):
    """Too late, before it, only a peer, or another channel: the deflection stays one."""
    told = tell(
        only("deflection_loop"),
        social("10:00", "contact"),
        social("10:10", "deflect", to="chat"),
        seen,
        until="2d 10:00",
    )
    assert told.issues()[0]["deflections"] == 1


def test_sent_on_to_another_public_place_is_a_deflection():
    """From one public thread to a public channel is no hand-off, though the customer followed."""
    told = tell(
        only("deflection_loop"),
        social("10:00", "contact"),
        social("10:10", "deflect", to="community"),
        community("10:20", "contact"),
    )
    assert told.issues()[0]["deflections"] == 1


def test_two_deflections_one_of_which_becomes_a_hand_off():
    """Two open a loop; when the customer turns up in the chat, one was a hand-off and the loop is over."""
    told = tell(
        only("deflection_loop"),
        social("10:00", "contact"),
        social("10:10", "deflect", to="chat"),
        social("10:20", "deflect", to="chat"),
        chat("10:30", "contact"),
    )
    assert told.history() == ["10:20 opened error deflection_loop", "10:30 resolved no_longer_holds"]


def test_a_hand_off_dropped():
    """24 hours after the deflection with neither side seen there; one of them in time is enough, a ms later is not."""
    document = only("handoff_dropped")
    sent = (ASKED, email("10:10", "deflect", to="phone"))
    assert tell(document, *sent, until="1d 10:09:59.999").history() == []
    assert tell(document, *sent, until="1d 10:10").history() == ["1d 10:10 opened warning handoff_dropped"]
    for kind in ("contact", "answered"):
        assert tell(document, *sent, phone("1d 10:10", kind), until="2d 10:00").history() == []
        told = tell(document, *sent, phone("1d 10:10:00.001", kind), until="2d 10:00")
        assert told.history() == ["1d 10:10 opened warning handoff_dropped"]
    assert tell(document, *sent, phone("11:00", "contact", by="peer"), until="1d 10:10").history() != []
    assert tell(document, ASKED, email("10:10", "deflect"), until="3d 10:00").history() == []


@pytest.mark.parametrize(
    ("at", "said"), [("7d 10:10", ["7d 10:10 opened warning comp_in_place_of_fix"]), ("7d 10:10:00.001", [])]
)
def test_compensated_and_back(at, said):
    """A voucher, no solve, and the customer is back within the repeat window."""
    assert (
        tell(only("comp_in_place_of_fix"), ASKED, email("10:10", "compensate"), email(at, "contact")).history() == said
    )


def test_compensated_and_solved():
    """A solve between the voucher and the return makes it a return after a solve, not a voucher in place of a fix."""
    story = (ASKED, email("10:10", "compensate"), email("10:20", "status", status="solved"), email("11:00", "contact"))
    assert tell(only("comp_in_place_of_fix"), *story).history() == []
    assert (
        tell(only("comp_in_place_of_fix"), ASKED, email("10:10", "compensate"), email("10:20", "feedback")).history()
        == []
    )


@pytest.mark.parametrize(
    "second",
    [
        email("10:20", "reply", auto=True),
        email("10:20", "reply", canned=True),
        email("10:20", "reply", by="bot"),
        chat("10:20", "answered", by="bot"),
    ],
)
def test_only_canned_answers(second):
    """Two responses of machines and templates; a person's own words end it."""
    document = only("canned_only")
    assert tell(document, ASKED, email("10:10", "reply", auto=True)).history() == []
    told = tell(document, ASKED, email("10:10", "reply", auto=True), second, phone("10:30", "answered"))
    assert told.history() == ["10:20 opened warning canned_only", "10:30 resolved no_longer_holds"]
    assert tell(document, ASKED, email("10:05", "reply"), email("10:10", "reply", auto=True), second).history() == []


def test_ignored_for_a_day_round_the_clock():
    """24 hours after the first contact without a human answer; one at the very end is in time."""
    document = only("ignored")
    assert tell(document, ASKED, until="1d 09:59:59.999").history() == []
    assert tell(document, ASKED, until="1d 10:00").history() == ["1d 10:00 opened error ignored"]
    assert tell(document, ASKED, phone("1d 10:00", "answered"), until="2d 10:00").history() == []
    told = tell(document, ASKED, email("1d 10:00:00.001", "reply"), until="2d 10:00")
    assert told.history() == ["1d 10:00 opened error ignored", "1d 10:00:00.001 resolved no_longer_holds"]
    machines = (
        email("10:01", "reply", auto=True),
        email("10:02", "reply", canned=True),
        email("10:03", "reply", by="bot"),
        email("10:04", "reply", by="peer"),
    )
    assert tell(document, ASKED, *machines, until="1d 10:00").history() == ["1d 10:00 opened error ignored"]
    assert tell(document, ASKED, email("20:00", "confirmed"), until="2d 10:00").history() == []


@pytest.mark.parametrize(("at", "said"), [("7d 10:05", ["7d 10:05 opened warning abandoned"]), ("7d 10:05:00.001", [])])
def test_abandoned_twice_within_the_window(at, said):
    """Hung up twice, on whatever channels, within the window."""
    story = (
        phone("10:00", "contact"),
        phone("10:05", "abandoned"),
        chat(at, "abandoned", issue="x"),
        phone("10:06", "note", issue="x"),
    )
    assert tell(only("abandoned"), *story).history() == said
    assert tell(only("abandoned"), *story[:2]).history() == []


@pytest.mark.parametrize("end", ["answered", "reply", "abandoned"])
def test_a_long_hold_that_ended(end):
    """Thirty minutes on the phone or in a chat until somebody came or the customer left; a ms less is bearable."""
    document = only("long_hold")
    for line in (phone, chat):
        assert tell(document, line("10:00", "contact"), line("10:30", end)).history() == [
            "10:30 opened warning long_hold"
        ]
        assert tell(document, line("10:00", "contact"), line("10:29:59.999", end)).history() == []
    assert tell(document, email("10:00", "contact"), email("10:40", end)).history() == []


def test_what_the_source_says_of_the_wait_goes_first():
    """`waited_s` counts, whatever lies between the events."""
    document = only("long_hold")
    assert tell(document, phone("10:00", "contact"), phone("10:05", "answered", waited_s=1800)).history() == [
        "10:05 opened warning long_hold"
    ]
    assert tell(document, phone("10:00", "contact"), phone("11:00", "answered", waited_s=1799.9)).history() == []


def test_a_queue_is_watched_while_it_lasts():
    """With `queued` it holds from the moment that the wait reaches 30 minutes; without, nobody knows that they wait."""
    document = only("long_hold")
    queued = phone("10:00", "contact", queued=True)
    assert tell(document, queued, until="10:29:59.999").history() == []
    assert tell(document, queued, until="10:30").history() == ["10:30 opened warning long_hold"]
    assert tell(document, phone("10:00", "contact"), until="20:00").history() == []
    told = tell(document, queued, phone("10:40", "answered", waited_s=600))
    assert told.history() == ["10:30 opened warning long_hold", "10:40 resolved late_evidence"] or told.history()[
        1
    ].startswith("10:40 resolved")
    for end in ("answered", "abandoned"):
        assert tell(document, queued, phone("10:29:59.999", end), until="12:00").history() == []
    assert tell(document, queued, phone("10:10", "status", status="solved"), until="12:00").history() == []


def test_passed_around():
    """Three transfers, on whatever threads; two are not enough."""
    two = (ASKED, email("10:10", "transfer"), phone("10:20", "transfer"))
    assert tell(only("passed_around"), *two, email("10:25", "deflect")).history() == []
    assert tell(only("passed_around"), *two, email("10:30", "transfer")).history() == [
        "10:30 opened warning passed_around"
    ]


def test_an_argument_in_public():
    """Three human replies on a public thread; a solve or a hand-off starts the count anew, machines do not count."""
    document = only("public_argument")
    asked = social("10:00", "contact")
    replies = [social(f"10:{minute}", "reply") for minute in (10, 20, 30)]
    assert tell(document, asked, *replies).history() == ["10:30 opened warning public_argument"]
    assert (
        tell(
            document, asked, *replies[:2], social("10:30", "reply", auto=True), social("10:31", "reply", by="peer")
        ).history()
        == []
    )
    assert (
        tell(
            document, email("10:00", "contact"), *[email(f"10:{minute}", "reply") for minute in (10, 20, 30)]
        ).history()
        == []
    )
    off = (social("10:21", "deflect", to="chat"), chat("10:25", "contact"))
    assert tell(document, asked, *replies[:2], *off, replies[2]).history() == []
    solved = (social("10:21", "status", status="solved"), social("10:25", "contact"))
    assert tell(document, asked, *replies[:2], *solved, replies[2]).history() == []


def test_every_pattern_can_be_switched_off():
    """A story that shows a dozen patterns says nothing under a policy that has them all off."""
    story = [phone("10:00", "contact"), email("10:10", "contact"), social("10:20", "contact", reach=20_000)]
    story += [
        email(f"11:{minute}", kind)
        for minute in (10, 20, 30)
        for kind in ("transfer", "abandoned", "deflect", "compensate", "contact")
    ]
    assert tell(policy(), *story, until="60d 10:00").records == []
