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
resource "aws_launch_template" "l4" {
  name          = "l4"
  instance_type = "g6.xlarge"
}
resource "aws_launch_template" "h100" {
  name          = "h100"
  instance_type = "p5.48xlarge"
}
resource "aws_launch_template" "neuron" {
  name          = "neuron"
  instance_type = "inf2.48xlarge"
}
resource "aws_autoscaling_group" "fleet" {
  min_size            = 3
  max_size            = 40
  vpc_zone_identifier = [for s in aws_subnet.s : s.id]
  launch_template { id = aws_launch_template.l4.id }
}
resource "aws_autoscaling_group" "serve_llm" {
  min_size            = 3
  max_size            = 9
  vpc_zone_identifier = [for s in aws_subnet.s : s.id]
  launch_template { id = aws_launch_template.h100.id }
}
resource "aws_autoscaling_group" "api" {
  min_size            = 2
  max_size            = 12
  vpc_zone_identifier = [for s in aws_subnet.s : s.id]
  tag {
    key                 = "workload"
    value               = "inference"
    propagate_at_launch = true
  }
  launch_template { id = aws_launch_template.h100.id }
}
resource "aws_autoscaling_group" "neuron" {
  min_size            = 2
  max_size            = 6
  vpc_zone_identifier = [for s in aws_subnet.s : s.id]
  launch_template { id = aws_launch_template.neuron.id }
}
resource "aws_autoscaling_group" "who_knows" {
  min_size            = 2
  max_size            = 2
  vpc_zone_identifier = [for s in aws_subnet.s : s.id]
  launch_template { id = aws_launch_template.h100.id }
}
