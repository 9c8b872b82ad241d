"""Reads Terraform source: syntax (native and JSON), modules, and what can be known of values without a plan."""
