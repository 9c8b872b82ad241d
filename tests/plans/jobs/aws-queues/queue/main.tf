variable "name" { type = string }
variable "spec" { type = any }
variable "subnet_id" { type = string }
variable "security_group_id" { type = string }
resource "aws_placement_group" "this" {
  count    = var.spec.efa ? 1 : 0
  name     = "pcluster-${var.name}"
  strategy = "cluster"
}
resource "aws_launch_template" "this" {
  name_prefix   = "pcluster-${var.name}-"
  instance_type = var.spec.instance_type
  image_id      = "ami-0123456789abcdef0"
  dynamic "network_interfaces" {
    for_each = range(var.spec.efa ? var.spec.cards : 1)
    content {
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = var.spec.efa ? "efa" : null
      security_groups    = [var.security_group_id]
      subnet_id          = var.subnet_id
    }
  }
  dynamic "placement" {
    for_each = aws_placement_group.this[*].name
    content { group_name = placement.value }
  }
}
resource "aws_autoscaling_group" "this" {
  name                = "pcluster-${var.name}"
  min_size            = 0
  max_size            = var.spec.count
  desired_capacity    = 0
  vpc_zone_identifier = [var.subnet_id]
  launch_template {
    id      = aws_launch_template.this.id
    version = "$Latest"
  }
}
