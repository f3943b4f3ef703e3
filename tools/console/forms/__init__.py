"""Forms made from the JSON Schema of a command's body."""
