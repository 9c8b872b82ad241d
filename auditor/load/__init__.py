"""Readers: plan JSON, state JSON, binary plans, lock files."""
