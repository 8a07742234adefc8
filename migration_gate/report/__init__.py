"""The report: one `render(report) -> str` a format, and where it is written."""
