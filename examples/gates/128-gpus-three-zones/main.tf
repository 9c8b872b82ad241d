terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

resource "aws_vpc" "train" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "train" {
  for_each          = { a = 1, b = 2, c = 3 }
  vpc_id            = aws_vpc.train.id
  cidr_block        = "10.0.${each.value}.0/24"
  availability_zone = "eu-central-1${each.key}"
}

resource "aws_security_group" "fabric" {
  vpc_id = aws_vpc.train.id
  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }
  egress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }
}

resource "aws_launch_template" "train" {
  instance_type = "p5.48xlarge"

  dynamic "network_interfaces" {
    for_each = range(32)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = "efa"
      security_groups    = [aws_security_group.fabric.id]
    }
  }
}

resource "aws_autoscaling_group" "train" {
  min_size            = 16
  max_size            = 16
  desired_capacity    = 16
  vpc_zone_identifier = [for s in aws_subnet.train : s.id]

  launch_template {
    id      = aws_launch_template.train.id
    version = "$Latest"
  }
}
