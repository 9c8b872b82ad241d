terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-central-1" }
data "aws_vpc" "v" { id = "vpc-0abc" }
data "aws_subnets" "all" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.v.id]
  }
}
data "aws_subnet" "one" { id = "subnet-0aaa" }
data "aws_subnet" "each" {
  for_each = toset(["subnet-0aaa", "subnet-0bbb"])
  id       = each.key
}
data "aws_security_group" "efa" { id = "sg-0abc" }
resource "aws_placement_group" "p" {
  name     = "p"
  strategy = "cluster"
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
      security_groups    = [data.aws_security_group.efa.id]
    }
  }
}
resource "aws_autoscaling_group" "train_one" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [data.aws_subnet.one.id]
  placement_group     = aws_placement_group.p.id
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_each" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [for s in data.aws_subnet.each : s.id]
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_all" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = data.aws_subnets.all.ids
  launch_template { id = aws_launch_template.efa.id }
}
