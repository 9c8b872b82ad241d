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
resource "aws_placement_group" "train" {
  name     = "train"
  strategy = "cluster"
}
resource "aws_launch_template" "train" {
  name          = "train"
  instance_type = "p4d.24xlarge"
  placement { group_name = aws_placement_group.train.name }
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

resource "aws_instance" "train" { # from the template: type, four EFA interfaces, placement group
  count     = 2
  subnet_id = aws_subnet.s["a"].id
  launch_template { id = aws_launch_template.train.id }
}
resource "aws_network_interface" "train_eni" {
  count           = 2
  subnet_id       = aws_subnet.s["b"].id
  interface_type  = "efa"
  security_groups = [aws_security_group.efa.id]
}
resource "aws_instance" "train_eni" { # one EFA interface of four, and nothing places the nodes
  count         = 2
  instance_type = "p4d.24xlarge"
  ami           = "ami-0abc"
  primary_network_interface { network_interface_id = aws_network_interface.train_eni[count.index].id }
}
resource "aws_instance" "train_plain" { # aws_instance has no interface_type of its own
  for_each      = toset(["x", "y"])
  instance_type = "p4d.24xlarge"
  ami           = "ami-0abc"
  subnet_id     = aws_subnet.s["c"].id
}
