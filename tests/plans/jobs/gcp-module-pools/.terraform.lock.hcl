# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/google" {
  version     = "6.50.0"
  constraints = "~> 6.0"
  hashes = [
    "h1:8Q1ingciwa7UbSa05gn344jx1RSHq/I2d7U1BQ5cygY=",
  ]
}
