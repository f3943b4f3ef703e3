"""The published language: every event that crosses Kafka, its envelope and its bytes."""
