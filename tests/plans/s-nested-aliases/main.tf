
terraform {
 required_providers {
aws = { source = "hashicorp/aws", version = "~> 5.0" }
 }
}
provider "aws" { region = "eu-central-1" }
provider "aws" {
  alias  = "far"
  region = "us-east-1"
}
module "a" {
  source    = "./a"
  providers = { aws = aws.far, aws.home = aws }
}
module "plain" { source = "./b2" }
