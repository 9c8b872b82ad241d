# Where copies go stands in `dynamic` blocks, which plan JSON leaves out, and behind locals.
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = "~> 6.0" }
  }
}

provider "aws" {
  region = "eu-central-1"
}

provider "aws" {
  alias  = "us"
  region = "us-east-1"
}

resource "aws_s3_bucket" "eu" {
  bucket_prefix = "eu"
}

resource "aws_s3_bucket" "us" {
  provider      = aws.us
  bucket_prefix = "us"
}

resource "aws_s3_bucket" "source" {
  for_each      = toset(["here", "there"])
  bucket_prefix = each.key
}

module "here" {
  source = "./m"
  bucket = aws_s3_bucket.source["here"].id
  rules  = [{ id = "one", to = aws_s3_bucket.eu.arn }]
}

module "there" {
  source = "./m"
  bucket = aws_s3_bucket.source["there"].id
  rules  = [{ id = "one", to = aws_s3_bucket.eu.arn }, { id = "two", to = aws_s3_bucket.us.arn }]
}

module "none" {
  source = "./m"
  bucket = aws_s3_bucket.source["here"].id
  rules  = []
}

locals {
  targets = { here = aws_s3_bucket.eu.arn, there = aws_s3_bucket.us.arn }
}

resource "aws_s3_bucket_inventory" "dynamic" {
  for_each                 = local.targets
  bucket                   = aws_s3_bucket.source[each.key].id
  name                     = each.key
  included_object_versions = "All"
  schedule {
    frequency = "Daily"
  }
  dynamic "destination" {
    for_each = [each.value]
    iterator = to
    content {
      bucket {
        format     = "CSV"
        bucket_arn = to.value
      }
    }
  }
}

resource "aws_s3_bucket_inventory" "local" {
  for_each                 = local.targets
  bucket                   = aws_s3_bucket.source[each.key].id
  name                     = "${each.key}-local"
  included_object_versions = "All"
  schedule {
    frequency = "Daily"
  }
  destination {
    bucket {
      format     = "CSV"
      bucket_arn = local.targets[each.key]
    }
  }
}

# What the content leaves out (`clusters`) the provider fills in.
resource "aws_dsql_cluster" "d" {
  dynamic "multi_region_properties" {
    for_each = ["eu-west-1"]
    content {
      witness_region = multi_region_properties.value
    }
  }
}

# A destination that is written out, outside the plan, beside one that is referred to.
resource "aws_s3_bucket_replication_configuration" "outside" {
  bucket = aws_s3_bucket.source["here"].id
  role   = "arn:aws:iam::123456789012:role/replication"
  dynamic "rule" {
    for_each = ["arn:aws:s3:::elsewhere", aws_s3_bucket.eu.arn]
    content {
      id     = "r"
      status = "Enabled"
      destination {
        bucket = rule.value
      }
    }
  }
}
