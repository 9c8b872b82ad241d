# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.45.0"
  constraints = "~> 6.0"
  hashes = [
    "h1:IuStVeIs0rnbTrJa8OCuSXv6E4jPhA6C9eoSEp5qzmI=",
  ]
}
