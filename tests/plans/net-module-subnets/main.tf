terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-central-1" }
module "vpc" { source = "./m" }
resource "aws_launch_template" "t" {
  name          = "train"
  instance_type = "p5.48xlarge"
  network_interfaces {
    device_index   = 0
    interface_type = "efa"
  }
}
resource "aws_autoscaling_group" "train" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [module.vpc.private_subnets[0]]
  launch_template { id = aws_launch_template.t.id }
}
resource "aws_autoscaling_group" "train_all" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = module.vpc.private_subnets
  launch_template { id = aws_launch_template.t.id }
}
resource "aws_autoscaling_group" "train_each" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [module.vpc.each_subnets[1]]
  launch_template { id = aws_launch_template.t.id }
}
