# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/hashicorp/helm" {
  version     = "3.1.1"
  constraints = "~> 3.1"
  hashes = [
    "h1:mG3xBdhdLY7+jxzwa0hjmMgh+vDNxukg9VgtAbBB6wU=",
  ]
}

provider "registry.terraform.io/hashicorp/kubernetes" {
  version     = "2.38.0"
  constraints = "~> 2.30"
  hashes = [
    "h1:4SaK29i2ruKMiBJskzCG1aAhUbUrmJdLDevAX0/KWeQ=",
  ]
}
