"""What makes the generated pages. The pages themselves are the Markdown, JSON and YAML files beside it."""
