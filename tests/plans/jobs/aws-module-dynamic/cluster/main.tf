variable "name" {}
variable "cards" { default = 4 }
variable "subnets" { type = list(string) }
variable "vpc" {}
resource "aws_security_group" "fabric" {
  name   = var.name
  vpc_id = var.vpc
}
resource "aws_vpc_security_group_ingress_rule" "self" {
  security_group_id            = aws_security_group.fabric.id
  referenced_security_group_id = aws_security_group.fabric.id
  ip_protocol                  = "-1"
}
resource "aws_vpc_security_group_egress_rule" "self" {
  security_group_id            = aws_security_group.fabric.id
  referenced_security_group_id = aws_security_group.fabric.id
  ip_protocol                  = "-1"
}
resource "aws_placement_group" "this" {
  name     = var.name
  strategy = "cluster"
}
resource "aws_launch_template" "this" {
  name_prefix   = var.name
  instance_type = "p4d.24xlarge"
  placement { group_name = aws_placement_group.this.name }
  dynamic "network_interfaces" {
    for_each = range(var.cards)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = network_interfaces.value == 0 ? "efa" : "efa-only"
      security_groups    = [aws_security_group.fabric.id]
    }
  }
}
resource "aws_autoscaling_group" "this" {
  name_prefix         = var.name
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = var.subnets
  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }
}
