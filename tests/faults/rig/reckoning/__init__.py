"""The reckoning: what was acknowledged, and what is stored, sequenced, published, projected and notified."""
