terraform {
  required_providers {
    aws = { source = "hashicorp/aws", configuration_aliases = [aws.far] }
  }
}
module "c" {
  source    = "./c"
  providers = { aws = aws.far, aws.home = aws }
}
