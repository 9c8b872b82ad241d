terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}
provider "aws" { region = "eu-central-1" }
provider "aws" {
  alias  = "us"
  region = "us-east-1"
}
variable "far" { default = true }
resource "aws_subnet" "eu" {
  vpc_id            = "vpc-1"
  cidr_block        = "10.0.0.0/24"
  availability_zone = "eu-central-1a"
}
resource "aws_subnet" "us" {
  provider          = aws.us
  vpc_id            = "vpc-2"
  cidr_block        = "10.0.0.0/24"
  availability_zone = "us-east-1a"
}
locals { us_subnet = aws_subnet.us.id }
resource "aws_instance" "us" {
  provider      = aws.us
  ami           = "ami-1"
  instance_type = "t3.micro"
  subnet_id     = var.far ? local.us_subnet : aws_subnet.eu.id
}
resource "aws_backup_vault" "us" {
  provider = aws.us
  name     = "us"
}
resource "aws_backup_plan" "p" {
  name = "p"
  rule {
    rule_name         = "a"
    target_vault_name = "v"
    copy_action { destination_vault_arn = aws_backup_vault.us.arn }
  }
  rule {
    rule_name         = "b"
    target_vault_name = "v"
    copy_action { destination_vault_arn = "arn:aws:backup:eu-west-1:123456789012:backup-vault:x" }
  }
}
