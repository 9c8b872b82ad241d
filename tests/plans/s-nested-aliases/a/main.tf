
terraform {
 required_providers {
aws = { source = "hashicorp/aws", configuration_aliases = [aws.home] }
 }
}
module "b" {
  source    = "./b"
  providers = { aws = aws.home, aws.x = aws }
}
resource "aws_s3_bucket" "us" { bucket = "u1" }
