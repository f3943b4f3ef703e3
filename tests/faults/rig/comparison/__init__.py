"""The comparison of acknowledgements with the stored, sequenced, published, projected and notified events."""
