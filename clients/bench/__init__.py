"""Benchmarks: every figure beside its yardstick, measured in the same run on the same machine.

A figure alone says little on a machine that others use too; its ratio to a known tool that did the same work a
second before says more. The bars are in `docs/benchmarks.md`.
"""
