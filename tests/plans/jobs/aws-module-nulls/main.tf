terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-central-1" }
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "s" {
  for_each          = { a = 0, b = 1, c = 2 }
  vpc_id            = aws_vpc.v.id
  availability_zone = "eu-central-1${each.key}"
  cidr_block        = cidrsubnet("10.0.0.0/16", 4, each.value)
}
module "train" { # desired_capacity stays null: the provider takes the minimum
  source  = "./fleet"
  name    = "train"
  type    = "p4d.24xlarge"
  subnets = [aws_subnet.s["a"].id]
}
module "train_three" {
  source  = "./fleet"
  name    = "train-three"
  type    = "p4d.24xlarge"
  desired = 3
  subnets = [aws_subnet.s["b"].id]
}
