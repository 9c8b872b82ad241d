terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}
provider "aws" { region = "eu-central-1" }
provider "aws" {
  alias  = "us"
  region = "us-east-1"
}
resource "aws_dynamodb_table" "sessions" {
  name         = "sessions"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "id"
  attribute {
    name = "id"
    type = "S"
  }
  replica { region_name = "eu-west-1" }
  replica { region_name = "us-east-1" }
}
resource "aws_s3_bucket" "golden" { bucket = "golden" }
resource "aws_s3_bucket" "mirror" {
  provider = aws.us
  bucket   = "mirror"
}
resource "aws_s3_bucket_replication_configuration" "golden" {
  bucket = aws_s3_bucket.golden.id
  role   = "arn:aws:iam::123456789012:role/replication"
  rule {
    id     = "out"
    status = "Enabled"
    destination { bucket = aws_s3_bucket.mirror.arn }
  }
  rule {
    id     = "elsewhere"
    status = "Enabled"
    destination { bucket = "arn:aws:s3:::somebody-elses" }
  }
}
resource "aws_backup_vault" "here" { name = "here" }
resource "aws_backup_plan" "p" {
  name = "p"
  rule {
    rule_name         = "daily"
    target_vault_name = aws_backup_vault.here.name
    copy_action { destination_vault_arn = "arn:aws:backup:eu-north-1:123456789012:backup-vault:near" }
    copy_action { destination_vault_arn = "arn:aws:backup:us-west-2:123456789012:backup-vault:far" }
  }
}
resource "aws_kms_key" "k" { multi_region = true }
resource "aws_kms_replica_key" "us" {
  provider        = aws.us
  primary_key_arn = aws_kms_key.k.arn
}
resource "aws_ecr_replication_configuration" "r" {
  replication_configuration {
    rule {
      destination {
        region      = "ap-south-1"
        registry_id = "123456789012"
      }
      destination {
        region      = "eu-west-3"
        registry_id = "123456789012"
      }
    }
  }
}
resource "aws_secretsmanager_secret" "s" {
  name = "s"
  replica { region = "eu-west-2" }
}
resource "aws_db_instance_automated_backups_replication" "us" {
  provider               = aws.us
  source_db_instance_arn = "arn:aws:rds:eu-central-1:123456789012:db:main"
}
resource "aws_vpc_peering_connection" "p" {
  vpc_id      = "vpc-1"
  peer_vpc_id = "vpc-2"
  peer_region = "us-east-1"
}
