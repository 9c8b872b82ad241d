# Queues of one module, each in the subnet that its own entry names: which one a plan does not say, and never several.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-central-1" }
variable "queues" {
  type = map(object({ instance_type = string, count = number, efa = bool, cards = optional(number, 1), az = string }))
  default = {
    h100 = { instance_type = "p5.48xlarge", count = 4, efa = true, cards = 32, az = "eu-central-1b" }
    viz  = { instance_type = "g4dn.xlarge", count = 2, efa = false, az = "eu-central-1a" }
    cpu  = { instance_type = "hpc7a.96xlarge", count = 16, efa = true, az = "eu-central-1b" }
  }
}
resource "aws_vpc" "this" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "compute" {
  for_each          = toset(["eu-central-1a", "eu-central-1b", "eu-central-1c"])
  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = cidrsubnet("10.0.0.0/16", 4, index(["eu-central-1a", "eu-central-1b", "eu-central-1c"], each.key))
}
resource "aws_security_group" "compute" {
  name   = "compute"
  vpc_id = aws_vpc.this.id
}
resource "aws_vpc_security_group_ingress_rule" "self" {
  security_group_id            = aws_security_group.compute.id
  referenced_security_group_id = aws_security_group.compute.id
  ip_protocol                  = "-1"
}
resource "aws_vpc_security_group_egress_rule" "self" {
  security_group_id            = aws_security_group.compute.id
  referenced_security_group_id = aws_security_group.compute.id
  ip_protocol                  = "-1"
}
resource "aws_vpc_security_group_egress_rule" "all" {
  security_group_id = aws_security_group.compute.id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"
}
module "queue" {
  source            = "./queue"
  for_each          = var.queues
  name              = each.key
  spec              = each.value
  subnet_id         = aws_subnet.compute[each.value.az].id
  security_group_id = aws_security_group.compute.id
}
