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
resource "aws_launch_template" "efa" {
  name          = "efa"
  instance_type = "p4d.24xlarge"
  dynamic "network_interfaces" {
    for_each = range(4)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = "efa"
      security_groups    = [aws_security_group.efa.id]
    }
  }
}

resource "aws_placement_group" "zone" {
  for_each = aws_subnet.s
  name     = "train-${each.key}"
  strategy = "cluster"
}
resource "aws_autoscaling_group" "train" { # one fleet a zone: three jobs
  for_each            = { a = 2, b = 2, c = 2 }
  min_size            = each.value
  max_size            = each.value
  vpc_zone_identifier = [aws_subnet.s[each.key].id]
  placement_group     = aws_placement_group.zone[each.key].id
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_instance" "train" { # one cluster, its nodes over three zones
  for_each  = aws_subnet.s
  subnet_id = each.value.id
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "off" {
  count               = 0
  min_size            = 9
  max_size            = 9
  vpc_zone_identifier = [for s in aws_subnet.s : s.id]
  launch_template { id = aws_launch_template.efa.id }
}
