variable "name" {}
variable "subnets" { type = list(string) }
variable "template" {}
variable "group" {}
resource "aws_autoscaling_group" "this" {
  name                = var.name
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = var.subnets
  placement_group     = var.group
  launch_template { id = var.template }
}
