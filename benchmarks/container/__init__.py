"""What the container costs."""
