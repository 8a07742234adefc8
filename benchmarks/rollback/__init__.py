"""Which broken downgrades are found, and which correct ones are called broken."""
