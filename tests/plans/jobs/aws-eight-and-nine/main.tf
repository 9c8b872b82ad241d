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

locals {
  jobs = { train_eight = ["g5.xlarge", 8], train_nine = ["g5.xlarge", 9] }
}
resource "aws_instance" "train_eight" { # 8 GPUs on 8 nodes: at the limit, not over it
  count         = local.jobs.train_eight[1]
  instance_type = local.jobs.train_eight[0]
  ami           = "ami-0abc"
  subnet_id     = aws_subnet.s["a"].id
}
resource "aws_instance" "train_nine" {
  count         = local.jobs.train_nine[1]
  instance_type = local.jobs.train_nine[0]
  ami           = "ami-0abc"
  subnet_id     = aws_subnet.s["a"].id
}
resource "aws_instance" "train_two_by_four" { # 8 again, on two nodes
  count         = 2
  instance_type = "g5.12xlarge"
  ami           = "ami-0abc"
  subnet_id     = aws_subnet.s["a"].id
}
resource "aws_instance" "train_one_node" { # one node needs no fabric
  instance_type = "p5.48xlarge"
  ami           = "ami-0abc"
  subnet_id     = aws_subnet.s["a"].id
}
