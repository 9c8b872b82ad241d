# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/oracle/oci" {
  version     = "4.120.0"
  constraints = ">= 4.100.0"
  hashes = [
    "h1:Yg1ThEEFWlZIDBwxuMv+5t/oP8Bch5xDAA0VNPb3IJ4=",
  ]
}
