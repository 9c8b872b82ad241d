variable "groups" {}
variable "subnet_ids" { type = list(string) }
variable "template" {}
resource "aws_autoscaling_group" "this" {
  for_each            = var.groups
  name                = each.key
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = try(each.value.subnet_ids, var.subnet_ids)
  launch_template { id = try(each.value.template, var.template) }
}
