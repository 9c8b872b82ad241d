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

resource "aws_autoscaling_group" "train_by_name" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p.id
  launch_template {
    name    = aws_launch_template.efa.name
    version = "$Latest"
  }
}
data "aws_launch_template" "shared" { name = "shared-gpu" }
resource "aws_autoscaling_group" "train_outside" { # which template this is, only the account knows
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  mixed_instances_policy {
    launch_template {
      launch_template_specification { launch_template_id = "lt-0123456789" }
      override { instance_type = "p4d.24xlarge" }
    }
  }
}
resource "aws_launch_configuration" "train_old" { # launch configurations know no EFA
  image_id      = "ami-0abc"
  instance_type = "p4d.24xlarge"
}
resource "aws_autoscaling_group" "train_old" {
  min_size             = 2
  max_size             = 2
  vpc_zone_identifier  = [aws_subnet.s["a"].id]
  launch_configuration = aws_launch_configuration.train_old.name
}
resource "aws_launch_template" "unused" { # judged through a fleet only
  instance_type = "p4d.24xlarge"
}
