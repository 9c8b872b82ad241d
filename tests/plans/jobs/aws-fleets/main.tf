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
  placement { group_name = aws_placement_group.p.name }
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

resource "aws_ec2_fleet" "train" {
  launch_template_config {
    launch_template_specification {
      launch_template_id = aws_launch_template.efa.id
      version            = aws_launch_template.efa.latest_version
    }
    override { subnet_id = aws_subnet.s["a"].id }
  }
  target_capacity_specification {
    default_target_capacity_type = "on-demand"
    total_target_capacity        = 2
  }
}
resource "aws_ec2_fleet" "train_spot" {
  launch_template_config {
    launch_template_specification {
      launch_template_id = aws_launch_template.bare.id
      version            = aws_launch_template.bare.latest_version
    }
    override { subnet_id = aws_subnet.s["a"].id }
    override { subnet_id = aws_subnet.s["b"].id }
  }
  target_capacity_specification {
    default_target_capacity_type = "spot"
    total_target_capacity        = 2
  }
}
resource "aws_spot_instance_request" "train" {
  count         = 2
  instance_type = "p4d.24xlarge"
  ami           = "ami-0abc"
  subnet_id     = aws_subnet.s["c"].id
}
