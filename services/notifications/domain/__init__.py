"""Two kinds of stream: subscription, notification."""
