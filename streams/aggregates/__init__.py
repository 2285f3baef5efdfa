"""What needs several customers at once, kept by partition: groups that page, hotspots, crowds, templates, channel gaps.

An aggregate has a key, lives on the partition of that key, and is driven as a customer is: by messages, and by one
timer. Its value holds what it has decided and not yet confirmed, so nothing is lost between a write and a send. Its
messages come at least once; each kind knows again what it has taken.

    page/<group key>       NotificationGroup    escalations of one group         -> notifications
    hot/<topic>            HotspotTopic         escalations on one topic         -> escalations, and messages to groups
    order/<escalation id>  Directory            which topic a hotspot is of      -> commands, passed on
    crowd/<thread>         Crowd                who spoke on a public thread     -> messages to those customers
    canned/<digest>        Template             who was sent one text            -> messages to those customers
    gap/...                GapTotals            shares of all partitions         -> channel-gaps (partition 0)
"""
