#!/usr/bin/env python3
"""The whole gate in reading order."""
