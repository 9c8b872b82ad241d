# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/nebius/nebius" {
  version     = "0.6.22"
  constraints = ">= 0.5.0"
  hashes = [
    "h1:I77uJL8WCSmCZW9ilTz5NBrlT4R1XG8w7L/uXf6W3T0=",
  ]
}
