"""What a deploying administrator makes on the servers, from the declarations in deploy/."""
