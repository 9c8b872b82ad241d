# Node groups of one module, told apart by maps: what a map, a lookup or a condition hides is open, what cannot be otherwise is not.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-north-1" }
variable "managed" { default = true }
locals { outposts = var.managed ? false : true }

resource "aws_vpc" "this" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "private" {
  count             = 3
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.0.${count.index}.0/24"
  availability_zone = "eu-north-1${["a", "b", "c"][count.index]}"
}
resource "aws_resourcegroups_group" "odcr" {
  name = "odcr"
  resource_query { query = "{}" }
}
module "group" {
  source = "./group"
  for_each = { for k, v in {
    train    = { types = ["p5.48xlarge"], nodes = 4, lookup = true, reservations = aws_resourcegroups_group.odcr.arn }
    block    = { types = ["p5e.48xlarge"], nodes = 2, kind = "CAPACITY_BLOCK", lookup = false }
    together = { types = ["p4d.24xlarge"], nodes = 2, lookup = false }
  } : k => v if !local.outposts }
  name          = each.key
  types         = each.value.types
  nodes         = each.value.nodes
  capacity_type = try(each.value.kind, null)
  reservations  = try(each.value.reservations, null)
  lookup        = each.value.lookup
  subnet_ids    = aws_subnet.private[*].id
}
