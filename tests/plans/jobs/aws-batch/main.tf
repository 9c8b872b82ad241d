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
resource "aws_batch_compute_environment" "train" {
  name         = "train"
  type         = "MANAGED"
  service_role = "arn:aws:iam::111122223333:role/batch"
  compute_resources {
    type               = "EC2"
    instance_type      = ["p4d.24xlarge"]
    instance_role      = "arn:aws:iam::111122223333:instance-profile/ecs"
    min_vcpus          = 0
    max_vcpus          = 192
    security_group_ids = [aws_security_group.efa.id]
    subnets            = [aws_subnet.s["a"].id]
    placement_group    = aws_placement_group.p.name
    launch_template { launch_template_id = aws_launch_template.efa.id }
  }
}
resource "aws_batch_compute_environment" "train_bare" {
  name         = "train_bare"
  type         = "MANAGED"
  service_role = "arn:aws:iam::111122223333:role/batch"
  compute_resources {
    type               = "EC2"
    instance_type      = ["p4d.24xlarge"]
    instance_role      = "arn:aws:iam::111122223333:instance-profile/ecs"
    min_vcpus          = 0
    max_vcpus          = 192
    security_group_ids = [aws_security_group.efa.id]
    subnets            = [aws_subnet.s["b"].id]
  }
}
resource "aws_batch_compute_environment" "train_one_node" {
  name         = "train_one_node"
  type         = "MANAGED"
  service_role = "arn:aws:iam::111122223333:role/batch"
  compute_resources {
    type               = "EC2"
    instance_type      = ["p4d.24xlarge"]
    instance_role      = "arn:aws:iam::111122223333:instance-profile/ecs"
    min_vcpus          = 0
    max_vcpus          = 96
    security_group_ids = [aws_security_group.efa.id]
    subnets            = [aws_subnet.s["b"].id]
  }
}
