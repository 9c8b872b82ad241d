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
resource "aws_ec2_capacity_block_reservation" "block" {
  capacity_block_offering_id = "cb-0123456789abcdef0"
  instance_platform          = "Linux/UNIX"
}
resource "aws_ec2_capacity_reservation" "small" {
  instance_type     = "p4d.24xlarge"
  instance_platform = "Linux/UNIX"
  instance_count    = 1
  availability_zone = "eu-central-1a"
}
resource "aws_launch_template" "block" {
  name          = "block"
  instance_type = "p4d.24xlarge"
  instance_market_options { market_type = "capacity-block" }
  capacity_reservation_specification {
    capacity_reservation_target { capacity_reservation_id = aws_ec2_capacity_block_reservation.block.id }
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
resource "aws_launch_template" "block_grouped" {
  name          = "block_grouped"
  instance_type = "p4d.24xlarge"
  instance_market_options { market_type = "capacity-block" }
  capacity_reservation_specification {
    capacity_reservation_target { capacity_reservation_id = "cr-0123456789" }
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
resource "aws_launch_template" "block_free" {
  name          = "block_free"
  instance_type = "p4d.24xlarge"
  instance_market_options { market_type = "capacity-block" }
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
resource "aws_launch_template" "small" {
  name          = "small"
  instance_type = "p4d.24xlarge"
  capacity_reservation_specification {
    capacity_reservation_target { capacity_reservation_id = aws_ec2_capacity_reservation.small.id }
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
resource "aws_launch_template" "spot" {
  name          = "spot"
  instance_type = "p4d.24xlarge"
  instance_market_options { market_type = "spot" }
  capacity_reservation_specification {
    capacity_reservation_target { capacity_reservation_id = "cr-0123456789" }
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
resource "aws_autoscaling_group" "train_block" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  launch_template { id = aws_launch_template.block.id }
}
resource "aws_autoscaling_group" "train_block_grouped" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p.id
  launch_template { id = aws_launch_template.block_grouped.id }
}
resource "aws_autoscaling_group" "train_block_free" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  launch_template { id = aws_launch_template.block_free.id }
}
resource "aws_autoscaling_group" "train_small" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  launch_template { id = aws_launch_template.small.id }
}
resource "aws_autoscaling_group" "train_other_zone" {
  min_size            = 1
  max_size            = 1
  vpc_zone_identifier = [aws_subnet.s["b"].id]
  launch_template { id = aws_launch_template.small.id }
}
resource "aws_autoscaling_group" "train_spot_reserved" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  launch_template { id = aws_launch_template.spot.id }
}
