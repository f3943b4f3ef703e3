"""Three kinds of stream: subscription, notification, subscriber."""
