"""How long the rig waits for what must come about: long enough for a machine on which much else is done."""

AT_MOST = 180.0
