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
module "train" {
  source  = "./cluster"
  name    = "train"
  vpc     = aws_vpc.v.id
  subnets = [aws_subnet.s["a"].id]
}
module "train_bare" { # the loop over the interfaces is empty
  source  = "./cluster"
  name    = "train-bare"
  vpc     = aws_vpc.v.id
  cards   = 0
  subnets = [aws_subnet.s["b"].id]
}
module "train_each" {
  source   = "./cluster"
  for_each = toset(["x", "y"])
  name     = "train-${each.key}"
  vpc      = aws_vpc.v.id
  subnets  = [aws_subnet.s["c"].id]
}
