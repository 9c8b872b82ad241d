variable "bucket" {
  type = string
}

variable "rules" {
  type = any
}

resource "aws_s3_bucket_replication_configuration" "r" {
  count  = length(var.rules) > 0 ? 1 : 0
  bucket = var.bucket
  role   = "arn:aws:iam::123456789012:role/replication"
  dynamic "rule" {
    for_each = var.rules
    content {
      id     = rule.value.id
      status = "Enabled"
      destination {
        bucket = rule.value.to
      }
    }
  }
}

resource "aws_s3_bucket_analytics_configuration" "a" {
  bucket = var.bucket
  name   = "all"
  dynamic "storage_class_analysis" {
    for_each = length(try(flatten([var.rules[0]]), [])) == 0 ? [] : [true]
    content {
      data_export {
        destination {
          s3_bucket_destination {
            bucket_arn = try(var.rules[1].to, var.rules[0].to)
          }
        }
      }
    }
  }
}

resource "aws_s3_bucket_replication_configuration" "unknown" {
  count  = length(var.rules) > 0 ? 1 : 0
  bucket = var.bucket
  role   = "arn:aws:iam::123456789012:role/replication"
  dynamic "rule" {
    for_each = try(flatten(var.rules), [])
    content {
      id     = rule.value.id
      status = "Enabled"
      destination {
        bucket = rule.value.to
      }
    }
  }
}
