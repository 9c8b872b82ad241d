resource "aws_s3_bucket" "de" { bucket = "d2" }
