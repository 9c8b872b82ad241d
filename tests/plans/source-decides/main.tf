terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}
variable "r" { default = "eu-west-1" }
variable "env" { default = "prod" }
variable "regions" { default = { prod = "us-east-1", dev = "eu-west-1" } }
locals {
  by_ws   = { default = "eu-central-1", prod = "us-east-1" }
  subnets = aws_subnet.x[*].id
  zones   = ["eu-west-1a", "eu-west-1b", "eu-west-1c"]
}
provider "aws" { region = var.r }
provider "aws" {
  alias  = "cond"
  region = var.r == "x" ? "eu-central-1" : "us-east-1"
}
provider "aws" {
  alias  = "map"
  region = var.regions[var.env]
}
provider "aws" {
  alias  = "ws"
  region = local.by_ws[terraform.workspace]
}
resource "aws_s3_bucket" "cond" {
  provider = aws.cond
  bucket   = "a"
}
resource "aws_s3_bucket" "map" {
  provider = aws.map
  bucket   = "b"
}
resource "aws_s3_bucket" "ws" {
  provider = aws.ws
  bucket   = "c"
}
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "x" {
  count             = 3
  vpc_id            = aws_vpc.v.id
  cidr_block        = cidrsubnet("10.0.0.0/16", 8, count.index)
  availability_zone = local.zones[count.index]
}
resource "aws_launch_template" "t" {
  instance_type = "p5.48xlarge"
  image_id      = "ami-1"
}
resource "aws_autoscaling_group" "train_slice" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = slice(local.subnets, 0, 1)
  launch_template { id = aws_launch_template.t.id }
}
resource "aws_autoscaling_group" "train_element" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [element(aws_subnet.x[*].id, 0)]
  launch_template { id = aws_launch_template.t.id }
}
resource "aws_autoscaling_group" "train_filter" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [for s in aws_subnet.x : s.id if s.availability_zone == "eu-west-1a"]
  launch_template { id = aws_launch_template.t.id }
}
resource "aws_autoscaling_group" "train_all" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = aws_subnet.x[*].id
  launch_template { id = aws_launch_template.t.id }
}
resource "aws_autoscaling_group" "train_each" {
  count               = 3
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [element(aws_subnet.x[*].id, count.index % 2)]
  launch_template { id = aws_launch_template.t.id }
}
module "m" {
  source  = "./m"
  subnets = slice(aws_subnet.x[*].id, 1, 2)
  lt      = aws_launch_template.t.id
}
resource "aws_autoscaling_group" "train_unknown" {
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [for s in aws_subnet.x : s.id if s.ipv6_cidr_block_association_id != "x"]
  launch_template { id = aws_launch_template.t.id }
}
resource "aws_autoscaling_group" "train_own" {
  for_each            = { a = 0, b = 2 }
  min_size            = 4
  max_size            = 4
  vpc_zone_identifier = [local.subnets[each.value]]
  launch_template { id = aws_launch_template.t.id }
}
variable "hidden" {
  default   = "us-west-2"
  sensitive = true
}
provider "aws" {
  alias  = "hidden"
  region = var.hidden == "" ? "eu-west-1" : var.hidden
}
resource "aws_s3_bucket" "hidden" {
  provider = aws.hidden
  bucket   = "d"
}
