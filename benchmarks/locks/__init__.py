"""Which migrations block others for long, with rows; and who says so without any."""
