# The plan was made with -var where=us-east-1. Of an ephemeral variable it holds no value:
# `terraform show -json` prints the default.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
}

variable "where" {
  type      = string
  default   = "eu-central-1"
  ephemeral = true
}

variable "plain" {
  type    = string
  default = "us-west-2"
}

provider "aws" {
  alias  = "where"
  region = var.where
}

provider "aws" {
  alias  = "plain"
  region = var.plain
}

resource "aws_sqs_queue" "where" {
  provider = aws.where
  name     = "where"
}

resource "aws_sqs_queue" "plain" {
  provider = aws.plain
  name     = "plain"
}

module "m" {
  source = "./m"
  where  = var.where
}
