# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/google" {
  version = "6.50.0"
  hashes = [
    "h1:pQJSvg6cggSq764Jezb6nFvI2XpxtUhwGWE5jC0Asc4=",
  ]
}

provider "registry.terraform.io/hashicorp/google-beta" {
  version = "6.50.0"
  hashes = [
    "h1:WwohIXFZgsZJ8EnH8MpAsgZzOP2LycZJ3mHaCXZfY5E=",
  ]
}
