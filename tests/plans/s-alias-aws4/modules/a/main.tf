terraform {
  required_providers {
    aws = { source = "hashicorp/aws", configuration_aliases = [aws.far] }
  }
}
module "b" {
  source    = "./b"
  providers = { aws = aws, aws.far = aws.far }
}
