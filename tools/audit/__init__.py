"""Bundles for auditors: made from the services or from Kafka, verified offline."""
