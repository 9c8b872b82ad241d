terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
variable "far" { default = "us-west-2" }
provider "aws" { region = "eu-central-1" }
provider "aws" {
  alias  = "burst"
  region = var.far
}
module "a" {
  source    = "./modules/a"
  providers = { aws = aws, aws.far = aws.burst }
}
resource "aws_sns_topic" "here" { name = "here" }
