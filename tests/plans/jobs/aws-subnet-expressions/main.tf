terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-central-1" }
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "s" {
  count             = 3
  vpc_id            = aws_vpc.v.id
  availability_zone = element(["eu-central-1a", "eu-central-1b", "eu-central-1c"], count.index)
  cidr_block        = cidrsubnet("10.0.0.0/16", 4, count.index)
}
variable "extra" { default = "subnet-0outside" }
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
resource "aws_placement_group" "pa" {
  name     = "pa"
  strategy = "cluster"
}
resource "aws_placement_group" "pb" {
  name     = "pb"
  strategy = "cluster"
}
resource "aws_placement_group" "pc" {
  name     = "pc"
  strategy = "cluster"
}
resource "aws_placement_group" "pd" {
  name     = "pd"
  strategy = "cluster"
}
resource "aws_placement_group" "pe" {
  name     = "pe"
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
      security_groups    = [aws_security_group.efa.id]
    }
  }
}
resource "aws_autoscaling_group" "train_index" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s[1].id]
  placement_group     = aws_placement_group.pa.id
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_element" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [element(aws_subnet.s[*].id, 0)]
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_slice_one" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = slice(aws_subnet.s[*].id, 0, 1)
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_slice_two" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = slice(aws_subnet.s[*].id, 0, 2)
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_splat" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = aws_subnet.s[*].id
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_outside" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [var.extra, aws_subnet.s[0].id]
  launch_template { id = aws_launch_template.efa.id }
}
resource "aws_autoscaling_group" "train_outside_one" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [var.extra]
  placement_group     = aws_placement_group.pb.id
  launch_template { id = aws_launch_template.efa.id }
}
