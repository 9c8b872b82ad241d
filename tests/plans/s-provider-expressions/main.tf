
terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "dr" { default = true }
variable "region" { default = "eu-central-1" }
variable "nul" { 
  type = string
  default = null
}
variable "sec" {
  default = "us-east-1"
  sensitive = true
}
variable "flag" { default = "eu-west-1" }
provider "aws" { region = var.dr ? "us-east-1" : var.region }
provider "aws" {
  alias = "nul"
  region = var.nul
}
provider "aws" {
  alias = "sec"
  region = var.sec
}
provider "aws" {
  alias = "coal"
  region = coalesce(var.nul, "ap-south-1")
}
provider "aws" {
  alias = "two"
  region = var.region == var.flag ? var.region : "us-east-1"
}
resource "random_pet" "p" {}
provider "aws" {
  alias = "rnd"
  region = random_pet.p.id
}
resource "aws_s3_bucket" "dr_us" {}
resource "aws_s3_bucket" "nul_open" { provider = aws.nul }
resource "aws_s3_bucket" "sec_us" { provider = aws.sec }
resource "aws_s3_bucket" "coal_in" { provider = aws.coal }
resource "aws_s3_bucket" "two_us" { provider = aws.two }
resource "aws_s3_bucket" "rnd_open" { provider = aws.rnd }
module "legacy_eu" {
  source = "./m"
  region = "eu-north-1"
}
module "legacy_us" {
  source = "./m"
  region = "us-west-1"
}
module "legacy_def" { source = "./m" }
