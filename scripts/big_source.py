#!/usr/bin/env python3
"""Writes one Terraform root of about 1 MB in 200 files: `scripts/big_source.py FOLDER [MODULES]`.

A root module calls local modules of six kinds (network, storage, database, cluster, training, serverless), each of eight
files, as a company's mono-repository has them: typed variables with descriptions and validations, comments, heredocs, locals,
`for` expressions, `for_each`, dynamic blocks, provider aliases passed along. The same arguments always make the same bytes.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path

MODULES = 24
REGIONS = ("eu-central-1", "eu-west-1", "eu-west-3", "us-east-1")
WORDS = (
    "ledger", "claims", "telemetry", "search", "orders", "catalog", "billing", "identity", "archive", "events", "reports",
    "images", "models", "features", "sessions", "partners", "returns", "pricing", "fraud", "labels", "metrics", "exports",
)  # fmt: skip
ROLES = ("raw", "curated", "staging", "backup", "audit", "export", "cache", "public", "index", "replay", "scratch", "frozen")

Draw = random.Random


def comment(draw: Draw, about: str) -> str:
    lines = (
        f"# {about}: owned by the {draw.choice(WORDS)} team, reviewed every quarter.",
        "# Changes here need an approval of the platform group, see the runbook of this module.",
        "# The retention follows the data class; do not shorten it without asking.",
    )
    return "\n".join(lines[: draw.randint(1, 3)]) + "\n"


def variable(draw: Draw, name: str) -> str:
    kind = draw.choice(("string", "number", "bool", "list(string)", "map(string)", "object"))
    text = f'variable "{name}" {{\n  description = "How the {name.replace("_", " ")} of this module is set; see the module\'s readme."\n'
    if kind == "object":
        text += '  type = object({\n    enabled  = optional(bool, true)\n    schedule = optional(string, "cron(0 3 * * ? *)")\n    days     = optional(number, 35)\n    tags     = optional(map(string), {})\n  })\n  default = {}\n'
    else:
        default = {
            "string": '"standard"', "number": "7", "bool": "true", "list(string)": '["a", "b", "c"]',
            "map(string)": '{\n    team = "platform"\n    tier = "gold"\n  }',
        }[kind]  # fmt: skip
        text += f"  type        = {kind}\n  default     = {default}\n"
    if kind == "number":
        text += f'\n  validation {{\n    condition     = var.{name} >= 0 && var.{name} <= 3650\n    error_message = "The {name} must be between 0 and 3650."\n  }}\n'
    return text + "}\n\n"


def bucket(draw: Draw, name: str) -> str:
    return f'''{comment(draw, name)}resource "aws_s3_bucket" "{name}" {{
  bucket        = "${{local.prefix}}-{name.replace("_", "-")}"
  force_destroy = false
  tags          = merge(local.tags, {{ Name = "${{local.prefix}}-{name}", data = "{draw.choice(("internal", "personal", "public"))}" }})

  lifecycle {{
    prevent_destroy = true
  }}
}}

resource "aws_s3_bucket_server_side_encryption_configuration" "{name}" {{
  bucket = aws_s3_bucket.{name}.id

  rule {{
    apply_server_side_encryption_by_default {{
      sse_algorithm     = "aws:kms"
      kms_master_key_id = aws_kms_key.this.arn
    }}
    bucket_key_enabled = true
  }}
}}

resource "aws_s3_bucket_lifecycle_configuration" "{name}" {{
  bucket = aws_s3_bucket.{name}.id

  dynamic "rule" {{
    for_each = {{ for k, v in local.retention : k => v if v > 0 }}
    content {{
      id     = "expire-${{rule.key}}"
      status = "Enabled"
      filter {{
        prefix = "${{rule.key}}/"
      }}
      expiration {{
        days = rule.value
      }}
    }}
  }}
}}

'''


def policy_document(draw: Draw, name: str) -> str:
    return f'''resource "aws_iam_role" "{name}" {{
  name               = "${{local.prefix}}-{name}"
  assume_role_policy = jsonencode({{
    Version = "2012-10-17"
    Statement = [{{
      Action    = "sts:AssumeRole"
      Effect    = "Allow"
      Principal = {{ Service = "{draw.choice(("ec2", "lambda", "glue", "states"))}.amazonaws.com" }}
    }}]
  }})
  tags = local.tags
}}

resource "aws_iam_role_policy" "{name}" {{
  name = "{name}"
  role = aws_iam_role.{name}.id
  policy = <<-EOT
    {{
      "Version": "2012-10-17",
      "Statement": [
        {{
          "Effect": "Allow",
          "Action": ["s3:GetObject", "s3:PutObject", "s3:ListBucket"],
          "Resource": "arn:${{data.aws_partition.current.partition}}:s3:::${{local.prefix}}-*"
        }}
      ]
    }}
  EOT
}}

'''


def security_group(draw: Draw, name: str) -> str:
    return f'''resource "aws_security_group" "{name}" {{
  name_prefix = "${{local.prefix}}-{name}-"
  description = "Traffic of {name.replace("_", " ")}"
  vpc_id      = var.vpc_id
  tags        = local.tags

  dynamic "ingress" {{
    for_each = local.ports
    content {{
      description = "port ${{ingress.value}}"
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = [for s in var.cidrs : cidrsubnet(s, 4, 1) if s != ""]
    }}
  }}

  egress {{
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }}
}}

'''


def database(draw: Draw, name: str) -> str:
    return f'''{comment(draw, name)}resource "aws_db_instance" "{name}" {{
  identifier                  = "${{local.prefix}}-{name}"
  engine                      = "postgres"
  engine_version              = "16.3"
  instance_class              = var.environment == "prod" ? "db.r6g.{draw.choice(("large", "xlarge"))}" : "db.t4g.medium"
  allocated_storage           = {draw.choice((50, 100, 500))}
  max_allocated_storage       = {draw.choice((1000, 2000))}
  storage_encrypted           = true
  kms_key_id                  = aws_kms_key.this.arn
  username                    = "service"
  manage_master_user_password = true
  backup_retention_period     = try(local.retention["{draw.choice(ROLES)}"], 7)
  multi_az                    = var.environment == "prod"
  vpc_security_group_ids      = [aws_security_group.data.id]
  copy_tags_to_snapshot       = true # auditors ask for it
  tags                        = local.tags
}}

'''


def function(draw: Draw, name: str) -> str:
    return f'''resource "aws_lambda_function" "{name}" {{
  function_name = "${{local.prefix}}-{name}"
  role          = aws_iam_role.worker.arn
  handler       = "main.handler"
  runtime       = "python3.12"
  s3_bucket     = aws_s3_bucket.{ROLES[0]}.id
  s3_key        = format("%s/%s.zip", local.prefix, "{name}")
  memory_size   = {draw.choice((256, 512, 1024))}
  timeout       = 30

  environment {{
    variables = {{
      STAGE    = var.environment
      REGIONS  = join(",", var.regions)
      BUCKET   = aws_s3_bucket.{ROLES[0]}.bucket
      LOG_FORM = "json"
    }}
  }}
}}

resource "aws_cloudwatch_log_group" "{name}" {{
  name              = "/aws/lambda/${{aws_lambda_function.{name}.function_name}}"
  retention_in_days = 30
  tags              = local.tags
}}

'''


def table(draw: Draw, name: str) -> str:
    replica = f'''
  replica {{
    region_name = "{draw.choice(REGIONS)}"
  }}
''' if draw.random() < 0.3 else ""
    return f'''resource "aws_dynamodb_table" "{name}" {{
  name         = "${{local.prefix}}-{name}"
  billing_mode = "PAY_PER_REQUEST"
  hash_key     = "pk"
  range_key    = "sk"

  attribute {{
    name = "pk"
    type = "S"
  }}

  attribute {{
    name = "sk"
    type = "S"
  }}
{replica}
  point_in_time_recovery {{
    enabled = true
  }}

  tags = merge(local.tags, {{ table = "{name}" }})
}}

'''


def fleet(draw: Draw, name: str) -> str:
    nodes = draw.choice((1, 2, 4))
    return f'''{comment(draw, name)}resource "aws_placement_group" "{name}" {{
  name     = "${{local.prefix}}-{name}"
  strategy = "cluster"
}}

resource "aws_launch_template" "{name}" {{
  name_prefix   = "${{local.prefix}}-{name}-"
  image_id      = "ami-0123456789abcdef0"
  instance_type = "p5.48xlarge"

  placement {{
    group_name = aws_placement_group.{name}.name
  }}

  dynamic "network_interfaces" {{
    for_each = range(32)
    content {{
      device_index       = network_interfaces.value == 0 ? 0 : 1
      network_card_index = network_interfaces.value
      interface_type     = "efa"
      security_groups    = [aws_security_group.data.id]
    }}
  }}

  tag_specifications {{
    resource_type = "instance"
    tags          = merge(local.tags, {{ workload = "training" }})
  }}
}}

resource "aws_autoscaling_group" "{name}" {{
  name                = "${{local.prefix}}-{name}"
  min_size            = {nodes}
  desired_capacity    = {nodes}
  max_size            = {nodes * 2}
  vpc_zone_identifier = [var.subnets[0]]

  launch_template {{
    id      = aws_launch_template.{name}.id
    version = "$Latest"
  }}

  tag {{
    key                 = "workload"
    value               = "training"
    propagate_at_launch = true
  }}
}}

'''


def output(draw: Draw, name: str, value: str) -> str:
    return f'output "{name}" {{\n  description = "The {name.replace("_", " ")}, for the modules that build on this one."\n  value       = {value}\n}}\n\n'


LOCALS = '''locals {
  prefix = join("-", compact([var.organisation, var.environment, var.name]))
  tags = merge(
    { managed = "terraform", environment = var.environment },
    { for k, v in var.tags : lower(k) => v },
  )
  retention = {
    raw     = var.environment == "prod" ? 365 : 30
    curated = 730
    scratch = 0
    audit   = max(90, length(var.regions) * 30)
  }
  ports   = toset([for p in split(",", "443,5432,6379") : tonumber(p)])
  primary = element(var.regions, 0)
  subnets = { for i, s in var.subnets : format("%02d", i) => s }
}

data "aws_partition" "current" {}
data "aws_caller_identity" "current" {}

resource "aws_kms_key" "this" {
  description             = "Key of ${local.prefix}"
  deletion_window_in_days = 30
  enable_key_rotation     = true
  tags                    = local.tags
}
'''
COMMON = '''variable "name" {
  type        = string
  description = "What this stack is called; part of every name."
}

variable "organisation" {
  type    = string
  default = "acme"
}

variable "environment" {
  type = string

  validation {
    condition     = contains(["dev", "stage", "prod"], var.environment)
    error_message = "One of dev, stage, prod."
  }
}

variable "regions" {
  type    = list(string)
  default = ["eu-central-1"]
}

variable "cidrs" {
  type    = list(string)
  default = ["10.0.0.0/16"]
}

variable "subnets" {
  type    = list(string)
  default = []
}

variable "vpc_id" {
  type = string
}

variable "tags" {
  type    = map(string)
  default = {}
}

'''
VERSIONS = '''terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.80"
    }
  }
}
'''

KINDS: tuple[Callable[[Draw, str], str], ...] = (bucket, table, database, function, fleet, security_group)


def module(draw: Draw, kind: int) -> dict[str, str]:
    """Eight files of one module; most of it of one kind."""
    main = KINDS[kind]
    settings = [f"{draw.choice(WORDS)}_{draw.choice(('window', 'limit', 'mode', 'labels', 'backup', 'retention'))}" for _ in range(26)]
    settings = list(dict.fromkeys(settings))
    share = 5 if main is fleet else 9 if main is bucket else 14
    names = draw.sample(WORDS, share)
    return {
        "main.tf": LOCALS + "\n" + "".join(main(draw, f"{n}_x") for n in names),
        "storage.tf": "".join(bucket(draw, r) for r in ROLES[:7]),
        "tables.tf": "".join(table(draw, f"{w}_t") for w in draw.sample(WORDS, 10)),
        "access.tf": policy_document(draw, "worker") + "".join(policy_document(draw, f"{w}_r") for w in draw.sample(WORDS, 6)),
        "network.tf": security_group(draw, "data") + "".join(security_group(draw, f"{w}_g") for w in draw.sample(WORDS, 8)),
        "variables.tf": COMMON + "".join(variable(draw, s) for s in settings),
        "outputs.tf": "".join(output(draw, f"{r}_bucket", f"aws_s3_bucket.{r}.arn") for r in ROLES[:7])
        + "".join(output(draw, s, f"var.{s}") for s in settings),
        "versions.tf": VERSIONS,
    }


def root(draw: Draw, modules: int) -> dict[str, str]:
    calls: list[str] = []
    for i in range(modules):
        name = f"{WORDS[i % len(WORDS)]}_{i:02}"
        alias = draw.choice(("aws", "aws.eu_west", "aws.eu_west", "aws.us"))
        calls.append(f'''{comment(draw, name)}module "{name}" {{
  source      = "./modules/m{i:02}"
  name        = "{name.replace("_", "-")}"
  environment = var.environment
  regions     = local.regions
  cidrs       = [for i in range(3) : cidrsubnet("10.{i}.0.0/16", 4, i)]
  subnets     = aws_subnet.private[*].id
  vpc_id      = aws_vpc.main.id
  tags        = merge(local.tags, {{ stack = "{name}" }})

  providers = {{
    aws = {alias}
  }}
}}
''')
    return {
        "main.tf": "\n".join(calls),
        "versions.tf": VERSIONS,
        "providers.tf": "".join(
            f'provider "aws" {{\n{"  alias  = " + chr(34) + a + chr(34) + chr(10) if a else ""}  region = {r}\n\n  default_tags {{\n    tags = local.tags\n  }}\n}}\n\n'
            for a, r in (("", "var.region"), ("eu_west", 'local.regions[1]'), ("us", '"us-east-1"'))
        ),
        "variables.tf": 'variable "environment" {\n  type    = string\n  default = "prod"\n}\n\nvariable "region" {\n  type = string\n}\n\n'
        + "".join(variable(draw, f"{w}_mode") for w in WORDS[:10]),
        "locals.tf": 'locals {\n  regions = [var.region, "eu-west-1"]\n  tags    = { owner = "platform", cost = "shared" }\n}\n',
        "terraform.tfvars": 'region = "eu-central-1"\n',
        "network.tf": '''resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/8"
}

resource "aws_subnet" "private" {
  count             = 3
  vpc_id            = aws_vpc.main.id
  cidr_block        = cidrsubnet(aws_vpc.main.cidr_block, 8, count.index)
  availability_zone = "${var.region}${element(["a", "b", "c"], count.index)}"
}
''',
        "outputs.tf": "".join(output(draw, f"bucket_{i:02}", f"module.{WORDS[i % len(WORDS)]}_{i:02}.raw_bucket") for i in range(modules)),
    }


def write(folder: Path, modules: int = MODULES) -> tuple[int, int]:
    """(files, bytes) written."""
    draw = random.Random(20261120)
    files = root(draw, modules)
    for i in range(modules):
        files.update({f"modules/m{i:02}/{n}": t for n, t in module(draw, i % len(KINDS)).items()})
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return len(files), sum(len(t.encode()) for t in files.values())


if __name__ == "__main__":
    made = write(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else MODULES)
    print(f"{made[0]} files, {made[1]} bytes")
