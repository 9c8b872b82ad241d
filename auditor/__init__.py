"""auditor: reads a Terraform plan and says, before apply, what it would do to data and GPU jobs."""

__version__ = "0.1.0"
