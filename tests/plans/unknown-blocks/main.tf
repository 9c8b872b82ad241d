terraform {
  required_providers {
    aws     = { source = "hashicorp/aws", version = "6.45.0" }
    azurerm = { source = "hashicorp/azurerm", version = "4.80.0" }
    google  = { source = "hashicorp/google", version = "6.50.0" }
  }
}
provider "aws" { region = "eu-central-1" }
provider "azurerm" {
  features {}
}
resource "terraform_data" "dr" { input = ["us-east-1"] }

resource "aws_dynamodb_table" "dyn" {
  name         = "runs"
  hash_key     = "id"
  billing_mode = "PAY_PER_REQUEST"
  attribute {
    name = "id"
    type = "S"
  }
  dynamic "replica" {
    for_each = terraform_data.dr.output
    content { region_name = replica.value }
  }
}
resource "aws_secretsmanager_secret" "dyn" {
  name = "x"
  dynamic "replica" {
    for_each = terraform_data.dr.output
    content { region = replica.value }
  }
}
resource "azurerm_container_registry" "dyn" {
  name                = "acr"
  location            = "westeurope"
  resource_group_name = "rg"
  sku                 = "Premium"
  dynamic "georeplications" {
    for_each = terraform_data.dr.output
    content { location = georeplications.value }
  }
}
resource "aws_launch_template" "train" {
  name_prefix   = "train-"
  instance_type = "p5.48xlarge"
}
resource "aws_autoscaling_group" "train" {
  min_size = 16
  max_size = 16
  availability_zones = ["eu-central-1a"]
  dynamic "launch_template" {
    for_each = terraform_data.dr.output
    content { id = aws_launch_template.train.id }
  }
}
resource "aws_ecr_replication_configuration" "r" {
  replication_configuration {
    dynamic "rule" {
      for_each = terraform_data.dr.output
      content {
        destination {
          region      = rule.value
          registry_id = "1"
        }
      }
    }
  }
}
