"""What the user asked for: file, environment and command line, each value with its origin."""
