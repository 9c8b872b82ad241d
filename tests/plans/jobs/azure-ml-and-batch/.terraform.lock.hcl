# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/azurerm" {
  version     = "4.80.0"
  constraints = "~> 4.0"
  hashes = [
    "h1:UPZxwSQOH3013xNmtbCkBoLxkm/JYEDaAppDmvfFcbQ=",
  ]
}
