"""Workflows for act; `./action` is the built image, with the action.yml of a release."""

from __future__ import annotations

import json

from tests.support.action_checkout import COMPARED_WHOLE
from tests.support.action_image import PYTHON

CALL = f"""
      - id: gate
        uses: ./action
        with: {{python: {PYTHON}, install: "off", path: "PATH"}}
"""
BLOCKED = f"""
on: pull_request
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
{CALL.replace("PATH", "drift")}
      - run: echo "after a finding"
      - if: always()
        run: echo "$RESULT with $ERRORS errors in $REPORT"
        env:
          RESULT: ${{{{ steps.gate.outputs.result }}}}
          ERRORS: ${{{{ steps.gate.outputs.errors }}}}
          REPORT: ${{{{ steps.gate.outputs.report }}}}
  merge:
    needs: gate
    runs-on: ubuntu-latest
    steps:
      - run: echo "merged"
"""
KINDS = f"""
on: pull_request
jobs:
  gate:
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix:
        kind: {json.dumps(COMPARED_WHOLE)}
    steps:
      - uses: actions/checkout@v7
{CALL.replace("PATH", "${{ matrix.kind }}")}
        continue-on-error: true
"""
MATRIX = f"""
on: pull_request
jobs:
  projects:
    runs-on: ubuntu-latest
    outputs:
      matrix: ${{{{ steps.projects.outputs.matrix }}}}
    steps:
      - uses: actions/checkout@v7
      - id: projects
        uses: docker://IMAGE
        with: {{args: projects --format matrix --github-output matrix}}
  gate:
    needs: projects
    runs-on: ubuntu-latest
    strategy:
      fail-fast: false
      matrix: ${{{{ fromJSON(needs.projects.outputs.matrix) }}}}
    steps:
      - uses: actions/checkout@v7
{CALL.replace('"PATH"', '".", project: "${{ matrix.project }}"')}
  verdict:
    if: always()
    needs: gate
    runs-on: ubuntu-latest
    steps:
      - run: test "$RESULT" = success
        env:
          RESULT: ${{{{ needs.gate.result }}}}
"""
OWN = """
on: push
jobs:
  gate:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v7
      - id: gate
        uses: ./
        with: {path: examples/media-library}
      - run: echo "$RESULT"
        env:
          RESULT: ${{ steps.gate.outputs.result }}
"""
