"""Event time: tiers of panes, the windows read from them, zones, the global clock, sets that age (pure)."""
