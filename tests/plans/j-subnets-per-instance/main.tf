# Fleets of one block in subnets that a local tells apart, and one in all subnets of which it also names one.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

resource "aws_subnet" "s" {
  for_each          = toset(["a", "b", "c"])
  vpc_id            = "vpc-1"
  availability_zone = "eu-central-1${each.key}"
  cidr_block        = "10.0.1.0/24"
}

locals {
  subnets = { one = [aws_subnet.s["a"].id], all = [for k, s in aws_subnet.s : s.id] }
}

resource "aws_launch_template" "t" {
  instance_type = "p4d.24xlarge"
  network_interfaces {
    interface_type = "efa"
    device_index   = 0
  }
}

resource "aws_autoscaling_group" "g" {
  for_each            = local.subnets
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = each.value
  launch_template {
    id = aws_launch_template.t.id
  }
}

resource "aws_autoscaling_group" "h" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = concat([aws_subnet.s["a"].id], [for k, s in aws_subnet.s : s.id])
  launch_template {
    id = aws_launch_template.t.id
  }
}
