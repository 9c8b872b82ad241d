variable "subnets" { type = list(string) }
variable "lt" {}
resource "aws_autoscaling_group" "train_mod" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = var.subnets
  launch_template { id = var.lt }
}
