variable "azs" { default = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
resource "aws_vpc" "v" { cidr_block = "10.0.0.0/16" }
resource "aws_subnet" "private" {
  count             = length(var.azs)
  vpc_id            = aws_vpc.v.id
  cidr_block        = cidrsubnet("10.0.0.0/16", 8, count.index)
  availability_zone = element(var.azs, count.index)
}
resource "aws_subnet" "each" {
  for_each          = toset(var.azs)
  vpc_id            = aws_vpc.v.id
  cidr_block        = cidrsubnet("10.0.0.0/16", 8, 100 + index(var.azs, each.key))
  availability_zone = each.key
}
output "private_subnets" { value = aws_subnet.private[*].id }
output "each_subnets" { value = values(aws_subnet.each)[*].id }
