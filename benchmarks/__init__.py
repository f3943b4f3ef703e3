"""How fast the platform is, each figure beside the ceiling that was measured in the same run on the same servers."""
