terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
provider "aws" { region = "eu-central-1" }
locals {
  vaults = { near = "eu-west-1", far = "us-east-1" }
}
variable "plans" {
  default = {
    near = { copy = "far" }
    far  = { copy = "near" }
  }
}
resource "aws_backup_vault" "v" {
  for_each = local.vaults
  name     = each.key
  region   = each.value
}
resource "aws_backup_plan" "by_value" {
  for_each = var.plans
  name     = each.key
  rule {
    rule_name         = "a"
    target_vault_name = "v"
    copy_action { destination_vault_arn = aws_backup_vault.v[each.value.copy].arn }
  }
}
resource "aws_backup_plan" "by_key" {
  for_each = var.plans
  name     = each.key
  rule {
    rule_name         = "a"
    target_vault_name = "v"
    copy_action { destination_vault_arn = aws_backup_vault.v[each.key].arn }
  }
}
resource "aws_backup_plan" "by_chain" {
  for_each = aws_backup_vault.v
  name     = each.key
  rule {
    rule_name         = "a"
    target_vault_name = "v"
    copy_action { destination_vault_arn = each.value.arn }
  }
}
