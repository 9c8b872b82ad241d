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
resource "aws_placement_group" "one" {
  name     = "one"
  strategy = "cluster"
}
resource "aws_placement_group" "two" {
  name     = "two"
  strategy = "cluster"
}
resource "aws_placement_group" "three" {
  name     = "three"
  strategy = "cluster"
}
resource "aws_launch_template" "efa" {
  name = "efa"
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
resource "aws_launch_template" "bare" {
  name          = "bare"
  instance_type = "g5.12xlarge"
}
resource "aws_autoscaling_group" "train_one" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.one.id
  mixed_instances_policy {
    instances_distribution { on_demand_percentage_above_base_capacity = 100 }
    launch_template {
      launch_template_specification { launch_template_id = aws_launch_template.efa.id }
      override { instance_type = "p4d.24xlarge" }
    }
  }
}
resource "aws_autoscaling_group" "train_spot" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["b"].id]
  placement_group     = aws_placement_group.two.id
  mixed_instances_policy {
    instances_distribution { on_demand_percentage_above_base_capacity = 50 }
    launch_template {
      launch_template_specification { launch_template_id = aws_launch_template.efa.id }
      override { instance_type = "p4d.24xlarge" }
    }
  }
}
resource "aws_autoscaling_group" "train_mixed" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["c"].id]
  placement_group     = aws_placement_group.three.id
  mixed_instances_policy {
    instances_distribution { on_demand_percentage_above_base_capacity = 100 }
    launch_template {
      launch_template_specification { launch_template_id = aws_launch_template.bare.id }
      override { instance_type = "p4d.24xlarge" }
      override { instance_type = "p3dn.24xlarge" }
    }
  }
}
