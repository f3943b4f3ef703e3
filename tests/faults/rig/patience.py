"""The time limit of the rig's waits, in seconds: long enough for a busy machine."""

AT_MOST = 180.0
