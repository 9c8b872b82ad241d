"""The reader of provider source that tells which nested blocks a provider fills in by itself."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "scripts"))
from import_schema_source import Package, blocks

SOURCE = '''package made

// "commented": {Optional: true, Computed: true}
var sizes = map[string]*schema.Schema{
	"disk": {
		Type:     schema.TypeList,
		Optional: true,
		Computed: true,
		Elem: &schema.Resource{Schema: map[string]*schema.Schema{"kind": {Type: schema.TypeString, Optional: true}}},
	},
}

func sharedSchema() *schema.Schema {
	return &schema.Schema{
		Type:     schema.TypeList,
		Optional: true,
		Elem: &schema.Resource{
			Schema: map[string]*schema.Schema{
				"inner": {
					Type: schema.TypeSet, Optional: true, Computed: true,
					ValidateFunc: validation.StringInSlice([]string{"}", "{"}, false),
					Elem: &schema.Resource{Schema: map[string]*schema.Schema{"a": {Type: schema.TypeInt, Required: true}}},
				},
			},
		},
	}
}

func ResourceThing() *schema.Resource {
	thing := &schema.Resource{
		Create: resourceThingCreate,
		CustomizeDiff: customdiff.All(func(d *schema.ResourceDiff) error { return nil }),
		Schema: merged.Schemas(sizes, map[string]*schema.Schema{
			"name":   {Type: schema.TypeString, Optional: true, Computed: true},
			"plain":  {Type: schema.TypeList, Optional: true, Elem: &schema.Schema{Type: schema.TypeString}, Computed: true},
			"shared": sharedSchema(),
			"self":   ResourceThing().Schema["self"],
		}),
	}
	return thing
}

func init() {
	tfresource.RegisterResource("cloud_thing", ResourceThing())
}
'''


def test_nested_blocks_are_found_through_functions_variables_and_merges(tmp_path: Path) -> None:
    (tmp_path / "thing.go").write_text(SOURCE, encoding="utf-8")
    package = Package(tmp_path)
    assert package.registered == {"cloud_thing": "ResourceThing"}
    made = package.value("ResourceThing")
    assert dict(blocks(made["Schema"])) == {"disk": True, "shared": False, "shared.inner": True}
