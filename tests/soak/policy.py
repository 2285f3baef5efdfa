"""The policy of a soak: the default one's shape, with lengths that pass while one looks on."""

POLICY = """
version: soak.1
calendars: {always: {zone: UTC, week: {mon-sun: ["00:00-24:00"]}}}
channels: {social: {public: true}, community: {public: true}}
targets:
  - {when: {channel: [social, community]}, first_response: 5s, next_response: 5s, resolution: 60s, calendar: always}
  - {first_response: 15s, next_response: 15s, resolution: 3m, calendar: always}
issue_resolution: {target: 4m, calendar: always}
warn_at: 80%
issues: {repeat_window: 7m, window: 7m, quiet_after: 14m}
promises: {grace: 2s}
ladders: {error: [{after: 0m}, {after: 10s, role: head}], critical: [{after: 0m}, {after: 5s, role: head}]}
roles: {head: {}, lead: {}}
routes: [{role: lead}]
patterns: {spreading: {customers: 1000000}}
canned: {customers: 1000000}
identities: {limits: {customer_id: 1000, email: 1000, phone: 1000, handle: 1000}, max: 10000}
"""
"""No pattern depends on other customers, and no identity is refused: what replay and live may tell differently."""
