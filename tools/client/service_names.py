"""The names of the services, without the event models that shared.events.catalogue loads."""

SERVICES = ("nominations", "meetings", "recommendations", "notifications")
