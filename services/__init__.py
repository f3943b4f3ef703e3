"""The four services, one folder each; they meet only through events."""
