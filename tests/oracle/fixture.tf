variable "s" {
  type    = string
  default = "hello"
}
variable "n" {
  type    = number
  default = 3
}
variable "b" {
  type    = bool
  default = true
}
variable "l" {
  type    = list(string)
  default = ["c", "a", "b"]
}
variable "set" {
  type    = set(string)
  default = ["b", "a", "b"]
}
variable "m" {
  type    = map(string)
  default = { x = "1", a = "2" }
}
variable "nums" {
  type    = list(number)
  default = [3, 1.5, 2]
}
variable "o" {
  type = object({
    name = string
    size = optional(number, 7)
    tags = optional(map(string), {})
    deep = optional(object({ region = optional(string, "eu-west-1") }), {})
  })
  default = { name = "n" }
}
variable "objs" {
  type    = list(object({ name = string, zone = string }))
  default = [{ name = "x", zone = "a" }, { name = "y", zone = "b" }, { name = "z", zone = "a" }]
}
variable "nothing" {
  type    = string
  default = null
}
variable "any" {
  default = { list = [1, "two", true], inner = { k = "v" } }
}
resource "terraform_data" "u" {
  input = "in"
}
resource "terraform_data" "many" {
  count = 2
  input = "in-${count.index}"
}
resource "terraform_data" "each" {
  for_each = toset(["p", "q"])
  input    = each.value
}
locals {
  unknown = terraform_data.u.id
  part    = { known = "k", dark = terraform_data.u.id }
  list    = ["k", terraform_data.u.id]
  heredoc = <<-EOT
    one ${var.s}
      two
    %{~ if var.b ~}
    three
    %{~ endif }

    four
  EOT
  plain   = <<EOT
  a
 b ${var.n}
EOT
  loop    = <<-EOT
    %{ for i, x in var.l ~}
    ${i}=${x}
    %{ endfor ~}
    end
  EOT
}
variable "tpl" {
  default = "Hi ${"$"}{name}:\n%%{ for i in items ~}\n  - ${"$"}{i}\n%%{ endfor ~}\n\n end ${"$"}{~ name ~}  \n\n x"
}
