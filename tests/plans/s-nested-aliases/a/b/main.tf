
terraform {
 required_providers {
aws = { source = "hashicorp/aws", configuration_aliases = [aws.x] }
 }
}
resource "aws_s3_bucket" "de" { bucket = "d1" }
resource "aws_s3_bucket" "us" {
  provider = aws.x
  for_each = toset(["p", "q"])
  bucket = each.key
}
resource "aws_instance" "us" {
  provider = aws.x
  ami = "ami-1"
  instance_type = "p5.48xlarge"
}
