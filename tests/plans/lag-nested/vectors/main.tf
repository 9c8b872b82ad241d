terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.10, < 7.0"
    }
  }
}

resource "aws_s3vectors_vector_bucket" "v" {
  vector_bucket_name = "acme-vectors"
}

resource "aws_s3vectors_index" "i" {
  index_name         = "i"
  vector_bucket_name = aws_s3vectors_vector_bucket.v.vector_bucket_name
  data_type          = "float32"
  dimension          = 8
  distance_metric    = "cosine"
}
