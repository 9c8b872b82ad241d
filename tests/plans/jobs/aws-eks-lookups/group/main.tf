variable "name" {}
variable "types" {}
variable "nodes" {}
variable "capacity_type" {}
variable "reservations" {}
variable "lookup" {}
variable "subnet_ids" {}

data "aws_subnets" "offered" {
  count = var.lookup ? 1 : 0
  filter {
    name   = "subnet-id"
    values = var.subnet_ids
  }
}
resource "aws_launch_template" "this" {
  name          = var.name
  instance_type = var.capacity_type == "CAPACITY_BLOCK" ? element(var.types, 0) : null
  dynamic "network_interfaces" {
    for_each = range(4)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = "efa"
    }
  }
  dynamic "capacity_reservation_specification" {
    for_each = var.reservations != null ? [var.reservations] : []
    content {
      capacity_reservation_target { capacity_reservation_resource_group_arn = capacity_reservation_specification.value }
    }
  }
}
resource "aws_eks_node_group" "this" {
  cluster_name    = "train"
  node_group_name = var.name
  node_role_arn   = "arn:aws:iam::111122223333:role/nodes"
  subnet_ids      = var.lookup ? data.aws_subnets.offered[0].ids : var.subnet_ids
  capacity_type   = var.capacity_type
  instance_types  = var.capacity_type == "CAPACITY_BLOCK" ? null : var.types
  scaling_config {
    min_size     = var.nodes
    desired_size = var.nodes
    max_size     = var.nodes
  }
  launch_template {
    id      = aws_launch_template.this.id
    version = aws_launch_template.this.latest_version
  }
}
