# This file is maintained automatically by "terraform init".
# Manual edits may be lost in future updates.

provider "registry.terraform.io/azure/azapi" {
  version     = "2.9.0"
  constraints = "~> 2.0"
  hashes = [
    "h1:gLjhLHnOnFgCHO06PG5fndh9O48TSptPK1DfwsDh/u0=",
  ]
}

provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.45.0"
  constraints = "~> 6.0"
  hashes = [
    "h1:IuStVeIs0rnbTrJa8OCuSXv6E4jPhA6C9eoSEp5qzmI=",
  ]
}

provider "registry.terraform.io/hashicorp/azurerm" {
  version     = "4.80.0"
  constraints = "~> 4.0"
  hashes = [
    "h1:UPZxwSQOH3013xNmtbCkBoLxkm/JYEDaAppDmvfFcbQ=",
  ]
}

provider "registry.terraform.io/hashicorp/google" {
  version     = "6.50.0"
  constraints = "~> 6.0"
  hashes = [
    "h1:8Q1ingciwa7UbSa05gn344jx1RSHq/I2d7U1BQ5cygY=",
  ]
}

provider "registry.terraform.io/hashicorp/http" {
  version = "3.5.0"
  hashes = [
    "h1:eGuCv1NBqVUQnuwffVJDcDq2/jzNAKmuiNReT6l0JJc=",
  ]
}

provider "registry.terraform.io/hashicorp/null" {
  version = "3.2.4"
  hashes = [
    "h1:+Pen5iqQYAO8ImBcFgZWDNJxe9fjya2oDZsHLdDYu+I=",
  ]
}
