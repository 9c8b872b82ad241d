terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
    azapi = {
      source  = "azure/azapi"
      version = "~> 2.0"
    }
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
    google = {
      source  = "hashicorp/google"
      version = "~> 6.0"
    }
    null = { source = "hashicorp/null" }
    http = { source = "hashicorp/http" }
  }
}

provider "aws" { region = "eu-central-1" }
provider "azurerm" {
  features {}
  subscription_id = "00000000-0000-0000-0000-000000000000"
}
provider "azapi" {}
provider "google" {
  project = "acme"
  region  = "europe-west4"
}

variable "pool" { default = "gpu" }

resource "azapi_resource" "sre" {
  type      = "Microsoft.App/agents@2025-05-01-preview"
  name      = "sre"
  parent_id = "/subscriptions/0000/resourceGroups/ml"
  location  = "westeurope"
}

resource "azapi_resource" "unheard" {
  type      = "Microsoft.Foo/bars@2026-01-01"
  name      = "bar"
  parent_id = "/subscriptions/0000/resourceGroups/ml"
  location  = "westeurope"
}

resource "azurerm_resource_group_template_deployment" "arm" {
  name                = "arm"
  resource_group_name = "ml"
  deployment_mode     = "Incremental"
  template_content = jsonencode({
    resources = [
      { type = "Microsoft.Storage/storageAccounts", name = "a", apiVersion = "2023-01-01" },
    ]
  })
}

resource "aws_cloudformation_stack" "hyperpod" {
  name          = "hyperpod"
  template_body = <<-YAML
    AWSTemplateFormatVersion: "2010-09-09"
    Resources:
      Cluster:
        Type: AWS::SageMaker::Cluster
        Properties:
          InstanceGroups: []
      Bucket:
        Type: AWS::S3::Bucket
  YAML
}

resource "aws_cloudcontrolapi_resource" "cc" {
  type_name     = "AWS::EC2::Subnet"
  desired_state = jsonencode({ CidrBlock = "10.0.0.0/24" })
}

resource "google_deployment_manager_deployment" "dm" {
  name = "dm"
  target {
    config {
      content = <<-YAML
        resources:
        - name: vm
          type: compute.v1.instance
      YAML
    }
  }
}

resource "null_resource" "pool" {
  provisioner "local-exec" {
    command = "gcloud container node-pools create ${var.pool} --cluster c --region europe-west4"
  }
}

resource "null_resource" "kubeconfig" {
  provisioner "local-exec" {
    command = "aws eks update-kubeconfig --name ml && kubectl wait --for=condition=Ready node --all"
  }
}

data "http" "poke" {
  url    = "https://management.azure.com/subscriptions/0000/x"
  method = "POST"
}
