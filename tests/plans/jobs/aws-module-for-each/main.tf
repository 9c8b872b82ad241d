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
resource "aws_launch_template" "bare" {
  name          = "bare"
  instance_type = "p4d.24xlarge"
}
resource "aws_placement_group" "zone" {
  for_each = aws_subnet.s
  name     = each.key
  strategy = "cluster"
}
module "train" { # each instance of the module means its own subnet
  source   = "./pool"
  for_each = aws_subnet.s
  name     = "train-${each.key}"
  subnets  = [each.value.id]
  group    = aws_placement_group.zone[each.key].id
  template = aws_launch_template.efa.id
}
module "groups" { # which subnets and template a group means is said nowhere in the plan
  source     = "./groups"
  subnet_ids = values(aws_subnet.s)[*].id
  template   = aws_launch_template.bare.id
  groups = {
    train-a = { subnet_ids = [aws_subnet.s["a"].id], template = aws_launch_template.efa.id }
    train-b = {}
  }
}
module "same" { # whatever a group means, it is the same zone
  source     = "./groups"
  subnet_ids = [aws_subnet.s["a"].id]
  template   = aws_launch_template.bare.id
  groups     = { train-a = { note = "all defaults" }, train-b = {} }
}
resource "aws_autoscaling_group" "train_map" { # two templates in one map
  for_each            = { on = aws_launch_template.efa.id, off = aws_launch_template.bare.id }
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  launch_template { id = each.value }
}
