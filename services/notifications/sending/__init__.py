"""From a planned notification to an answer: the claim, the message, the SMTP server."""
