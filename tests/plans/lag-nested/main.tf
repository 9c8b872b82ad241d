terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.0"
    }
  }
}

provider "aws" { region = "eu-central-1" }

module "vectors" {
  source = "./vectors"
}

resource "aws_s3_bucket" "data" { bucket = "acme-data" }
