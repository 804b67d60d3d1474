"""What is sent and what is kept, without touching a cached prefix."""
