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
resource "aws_placement_group" "eks" {
  name     = "eks"
  strategy = "cluster"
}
resource "aws_launch_template" "efa" {
  name = "efa"
  placement { group_name = aws_placement_group.eks.name }
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
resource "aws_launch_template" "block" {
  name          = "block"
  instance_type = "p4d.24xlarge"
  instance_market_options { market_type = "capacity-block" }
  capacity_reservation_specification {
    capacity_reservation_target { capacity_reservation_id = "cr-0abc" }
  }
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
resource "aws_eks_node_group" "train" {
  cluster_name    = "gpu"
  node_group_name = "train"
  node_role_arn   = "arn:aws:iam::111122223333:role/node"
  subnet_ids      = [aws_subnet.s["a"].id]
  instance_types  = ["p4d.24xlarge"]
  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 2
  }
  launch_template {
    id      = aws_launch_template.efa.id
    version = aws_launch_template.efa.latest_version
  }
}
resource "aws_eks_node_group" "train_block" {
  cluster_name    = "gpu"
  node_group_name = "train_block"
  node_role_arn   = "arn:aws:iam::111122223333:role/node"
  subnet_ids      = [aws_subnet.s["b"].id]
  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 2
  }
  launch_template {
    id      = aws_launch_template.block.id
    version = aws_launch_template.block.latest_version
  }
  capacity_type = "CAPACITY_BLOCK"
}
resource "aws_eks_node_group" "train_bare" {
  cluster_name    = "gpu"
  node_group_name = "train_bare"
  node_role_arn   = "arn:aws:iam::111122223333:role/node"
  subnet_ids      = [aws_subnet.s["a"].id]
  instance_types  = ["p4d.24xlarge"]
  scaling_config {
    min_size     = 2
    desired_size = 2
    max_size     = 2
  }
}
resource "aws_eks_node_group" "serving" {
  cluster_name    = "gpu"
  node_group_name = "serving"
  node_role_arn   = "arn:aws:iam::111122223333:role/node"
  subnet_ids      = [for s in aws_subnet.s : s.id]
  instance_types  = ["g5.12xlarge"]
  scaling_config {
    min_size     = 3
    desired_size = 6
    max_size     = 40
  }
}
resource "aws_eks_node_group" "web" {
  cluster_name    = "gpu"
  node_group_name = "web"
  node_role_arn   = "arn:aws:iam::111122223333:role/node"
  subnet_ids      = [for s in aws_subnet.s : s.id]
  scaling_config {
    min_size     = 3
    desired_size = 6
    max_size     = 40
  }
}
resource "aws_eks_node_group" "gpu" {
  cluster_name    = "gpu"
  node_group_name = "gpu"
  node_role_arn   = "arn:aws:iam::111122223333:role/node"
  subnet_ids      = [for s in aws_subnet.s : s.id]
  instance_types  = ["p5.48xlarge"]
  scaling_config {
    min_size     = 1
    desired_size = 2
    max_size     = 2
  }
  labels = { workload = "inference" }
}
