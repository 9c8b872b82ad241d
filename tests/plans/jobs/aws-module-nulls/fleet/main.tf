variable "name" {}
variable "desired" {
  type    = number
  default = null
}
variable "subnets" { type = list(string) }
variable "type" {}
resource "aws_launch_template" "this" {
  name          = var.name
  instance_type = var.type
}
resource "aws_autoscaling_group" "this" {
  name                = var.name
  min_size            = 2
  max_size            = 4
  desired_capacity    = var.desired
  vpc_zone_identifier = var.subnets
  launch_template {
    id      = aws_launch_template.this.id
    version = "$Latest"
  }
}
