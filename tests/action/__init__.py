"""The built image, driven as a runner of GitHub drives it."""
