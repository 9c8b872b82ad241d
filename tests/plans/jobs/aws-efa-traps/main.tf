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
resource "aws_security_group" "open_egress" { # egress to 0.0.0.0/0 does not carry EFA traffic
  vpc_id = aws_vpc.v.id
  ingress {
    from_port = 0
    to_port   = 0
    protocol  = "-1"
    self      = true
  }
  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}
resource "aws_placement_group" "p0" {
  name     = "p0"
  strategy = "cluster"
}
resource "aws_placement_group" "p1" {
  name     = "p1"
  strategy = "cluster"
}
resource "aws_placement_group" "p2" {
  name     = "p2"
  strategy = "cluster"
}
resource "aws_placement_group" "p3" {
  name     = "p3"
  strategy = "cluster"
}
resource "aws_launch_template" "no_self" {
  name          = "no_self"
  instance_type = "p4d.24xlarge"
  dynamic "network_interfaces" {
    for_each = range(4)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = "efa"
      security_groups    = [aws_security_group.open_egress.id]
    }
  }
}
resource "aws_launch_template" "public" {
  name          = "public"
  instance_type = "p4d.24xlarge"
  network_interfaces {
    device_index                = 0
    network_card_index          = 0
    interface_type              = "efa"
    security_groups             = [aws_security_group.efa.id]
    associate_public_ip_address = true
  }
  network_interfaces {
    device_index       = 1
    network_card_index = 1
    interface_type     = "efa-only"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 2
    interface_type     = "efa-only"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 3
    interface_type     = "efa-only"
    security_groups    = [aws_security_group.efa.id]

  }
}
resource "aws_launch_template" "primary" {
  name          = "primary"
  instance_type = "p4d.24xlarge"
  network_interfaces {
    device_index       = 0
    network_card_index = 0
    interface_type     = "efa-only"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 1
    interface_type     = "efa-only"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 2
    interface_type     = "efa-only"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 3
    interface_type     = "efa-only"
    security_groups    = [aws_security_group.efa.id]

  }
}
resource "aws_launch_template" "no_efa_type" {
  name          = "no_efa_type"
  instance_type = "p3.8xlarge"
  network_interfaces {
    device_index       = 0
    network_card_index = 0
    interface_type     = "efa"
    security_groups    = [aws_security_group.efa.id]

  }
}
resource "aws_launch_template" "twice" {
  name          = "twice"
  instance_type = "p4d.24xlarge"
  network_interfaces {
    device_index       = 0
    network_card_index = 0
    interface_type     = "efa"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 1
    interface_type     = "efa"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 2
    interface_type     = "efa"
    security_groups    = [aws_security_group.efa.id]

  }
  network_interfaces {
    device_index       = 2
    network_card_index = 2
    interface_type     = "efa"
    security_groups    = [aws_security_group.efa.id]

  }
}
resource "aws_autoscaling_group" "train_no_self" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p0.id
  launch_template { id = aws_launch_template.no_self.id }
}
resource "aws_autoscaling_group" "train_public" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p1.id
  launch_template { id = aws_launch_template.public.id }
}
resource "aws_autoscaling_group" "train_primary" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p2.id
  launch_template { id = aws_launch_template.primary.id }
}
resource "aws_autoscaling_group" "train_wrong_type" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  launch_template { id = aws_launch_template.no_efa_type.id }
}
resource "aws_autoscaling_group" "train_card_twice" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p3.id
  launch_template { id = aws_launch_template.twice.id }
}
resource "aws_placement_group" "p4" {
  name     = "p4"
  strategy = "cluster"
}
resource "aws_launch_template" "no_self_static" {
  name          = "no_self_static"
  instance_type = "p4d.24xlarge"
  network_interfaces {
    device_index       = 0
    network_card_index = 0
    interface_type     = "efa"
    security_groups    = [aws_security_group.open_egress.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 1
    interface_type     = "efa"
    security_groups    = [aws_security_group.open_egress.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 2
    interface_type     = "efa"
    security_groups    = [aws_security_group.open_egress.id]

  }
  network_interfaces {
    device_index       = 1
    network_card_index = 3
    interface_type     = "efa"
    security_groups    = [aws_security_group.open_egress.id]

  }
}
resource "aws_autoscaling_group" "train_no_self_static" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [aws_subnet.s["a"].id]
  placement_group     = aws_placement_group.p4.id
  launch_template { id = aws_launch_template.no_self_static.id }
}
