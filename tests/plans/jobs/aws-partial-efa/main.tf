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
resource "aws_security_group" "efa" {
  vpc_id = aws_vpc.v.id
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
resource "aws_placement_group" "p" {
  name     = "p"
  strategy = "cluster"
}
resource "aws_placement_group" "q" {
  name     = "q"
  strategy = "cluster"
}
resource "aws_launch_template" "one" {
  name          = "one"
  instance_type = "p5.48xlarge"
  dynamic "network_interfaces" {
    for_each = range(1)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = "efa"
      security_groups    = [aws_security_group.efa.id]
    }
  }
}
resource "aws_launch_template" "full" {
  name          = "full"
  instance_type = "p5.48xlarge"
  dynamic "network_interfaces" {
    for_each = range(32)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = "efa"
      security_groups    = [aws_security_group.efa.id]
    }
  }
}
resource "aws_autoscaling_group" "train_one_card" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p.id
  launch_template { id = aws_launch_template.one.id }
}
resource "aws_autoscaling_group" "train_full" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.q.id
  launch_template { id = aws_launch_template.full.id }
}
