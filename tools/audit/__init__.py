"""Export bundles for auditors: written from the services or from Kafka, verified offline."""
